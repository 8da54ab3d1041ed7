import CNghttp2
import NIOCore

/// The functions nghttp2 calls, each of which finds its ``HTTP2Session`` and passes on what it was told.
enum HTTP2SessionCallbacks {
  /// What nghttp2 copies into each session.
  nonisolated(unsafe) static let table: OpaquePointer? = make()

  /// Asks the ``OutboundBody`` behind a stream how much of it goes into the next frame.
  static let readBody: nghttp2_data_source_read_callback = { _, stream, _, length, flags, source, user in
    guard let flags, let body = body(source) else { return fatal }
    return session(user).read(body, of: StreamID(stream), atMost: length, flags: &flags.pointee)
  }

  private static func make() -> OpaquePointer? {
    var table: OpaquePointer?
    let result = nghttp2_session_callbacks_new(&table)
    precondition(result == 0, "nghttp2 could not allocate its table of callbacks")
    setInput(table)
    setOutput(table)
    return table
  }

  private static func setInput(_ table: OpaquePointer?) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(table) { _, header, user in
      guard let header else { return 0 }
      return verdict(session(user).began(header.pointee))
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, user in
      if let frame {
        let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        session(user).beganHeaders(of: StreamID(frame.pointee.hd.stream_id), isRequest: isRequest)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback(table) { _, _, name, nameCount, value, valueCount, _, user in
      verdict(
        session(user).received(
          name: UnsafeBufferPointer(start: name, count: nameCount), value: UnsafeBufferPointer(start: value, count: valueCount)))
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, stream, bytes, count, user in
      if let bytes { session(user).received(bytes, count: count, on: StreamID(stream)) }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
      guard let frame else { return 0 }
      return verdict(session(user).received(frame))
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, stream, code, user in
      session(user).closed(StreamID(stream), code: HTTP2ErrorCode(code))
      return 0
    }
  }

  private static func setOutput(_ table: OpaquePointer?) {
    nghttp2_session_callbacks_set_send_data_callback(table) { _, _, header, count, source, user in
      guard let header, let body = body(source) else { return Int32(fatal) }
      session(user).send(body, header: header, length: count)
      return 0
    }
    nghttp2_session_callbacks_set_before_frame_send_callback(table) { _, frame, user in
      if let frame { session(user).willSend(frame) }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
      if let frame { session(user).sent(frame) }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_not_send_callback(table) { _, frame, _, user in
      if let frame { session(user).failedToSend(frame) }
      return 0
    }
  }
}

// Outside of the type, whose name no C function pointer can bring along.

private let fatal = Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

/// Every session names itself to nghttp2, and is there for as long as nghttp2's half of it.
private func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
  guard let user else { preconditionFailure("nghttp2 has lost its session") }
  return Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
}

/// Bodies are kept by their session until nghttp2 has closed the stream.
private func body(_ source: UnsafeMutablePointer<nghttp2_data_source>?) -> OutboundBody? {
  guard let pointer = source?.pointee.ptr else { return nil }
  return Unmanaged<OutboundBody>.fromOpaque(pointer).takeUnretainedValue()
}

private func verdict(_ goesOn: Bool) -> Int32 { goesOn ? 0 : Int32(fatal) }
