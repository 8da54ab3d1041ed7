import Foundation
import NIOCore
import NIOHPACK
import NIOHTTP2
import PonosAPI
import SwiftProtobuf

/// One call to a ``HostilePerformer``: reads the request to its end, then answers.
final class HostileCallHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private var path = ""
  private var request = ByteBuffer()
  /// What is still to be sent: a piece, and how often.
  private var piece = ByteBuffer()
  private var repetitions = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .headers(let headers):
      path = headers.headers.first(name: ":path") ?? ""
      if headers.endStream { answer(context) }
    case .data(let data):
      if case .byteBuffer(let bytes) = data.data { request.writeImmutableBuffer(bytes) }
      if data.endStream { answer(context) }
    default: break
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    pour(context)
  }

  /// A caller that has had enough is what this performer is about.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func answer(_ context: ChannelHandlerContext) {
    if path.hasSuffix("/Check") { return reply(context, [0x08, 0x01]) }
    let bytes = Data(request.readableBytesView.dropFirst(5))
    guard let task = try? Eigenlayer_Hourglass_V1_Performer_TaskRequest(serializedBytes: bytes) else {
      return context.close(promise: nil)
    }
    switch HostileAnswer(rawValue: String(decoding: task.payload, as: UTF8.self)) {
    case .giant: begin(context, pouring: ByteBuffer(repeating: 0, count: 1 << 16), times: 1 << 14, announcing: 1 << 30)
    case .swarm:
      begin(context, pouring: Self.message([UInt8](repeating: 0, count: 1 << 20)), times: 1000, announcing: nil)
    case .drip: drip(context)
    case .garbage: spoil(context)
    case .unfinished: begin(context, pouring: Self.message(Self.echo(of: task)), times: 1, announcing: nil)
    case .noStatus:
      begin(context, pouring: ByteBuffer(), times: 0, announcing: nil)
      send(context, .data(.init(data: .byteBuffer(Self.message(Self.echo(of: task))), endStream: true)))
    case .scrambled: reply(context, [UInt8](repeating: 0xff, count: 100))
    case nil: reply(context, Self.echo(of: task))
    }
  }

  // MARK: Proper answers

  private func reply(_ context: ChannelHandlerContext, _ message: [UInt8]) {
    begin(context, pouring: Self.message(message), times: 1, announcing: nil)
    send(context, .headers(.init(headers: ["grpc-status": "0"], endStream: true)))
  }

  private static func echo(of task: Eigenlayer_Hourglass_V1_Performer_TaskRequest) -> [UInt8] {
    let response = Eigenlayer_Hourglass_V1_Performer_TaskResponse.with { message in
      message.taskID = task.taskID
      message.result = task.payload
    }
    do { return try response.serializedBytes() } catch { return [] }
  }

  private static func message(_ bytes: [UInt8]) -> ByteBuffer {
    var message = prefix(bytes.count)
    message.writeBytes(bytes)
    return message
  }

  private static func prefix(_ count: Int) -> ByteBuffer {
    var prefix = ByteBuffer(integer: UInt8(0))
    prefix.writeInteger(UInt32(count))
    return prefix
  }

  // MARK: Others

  /// Sends the header fields, the prefix of a message of so many bytes if one is announced, and then `piece` again and again.
  private func begin(_ context: ChannelHandlerContext, pouring piece: ByteBuffer, times: Int, announcing count: Int?) {
    send(context, .headers(.init(headers: [":status": "200", "content-type": "application/grpc"])))
    if let count { send(context, .data(.init(data: .byteBuffer(Self.prefix(count))))) }
    (self.piece, repetitions) = (piece, times)
    pour(context)
  }

  /// As much as the caller takes now.
  private func pour(_ context: ChannelHandlerContext) {
    while repetitions > 0, context.channel.isWritable {
      repetitions -= 1
      send(context, .data(.init(data: .byteBuffer(piece))))
    }
  }

  private func drip(_ context: ChannelHandlerContext) {
    begin(context, pouring: ByteBuffer(), times: 0, announcing: 100_000)
    let channel = context.channel
    context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { task in
      guard channel.isActive else { return task.cancel() }
      let drop = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer(integer: UInt8(0)))))
      channel.writeAndFlush(drop, promise: nil)
    }
  }

  private func spoil(_ context: ChannelHandlerContext) {
    guard let connection = context.channel.parent else { return }
    let garbage = ByteBuffer(string: String(repeating: "this is not HTTP/2 ", count: 200))
    do {
      try connection.pipeline.syncOperations.context(name: HostilePerformer.wire).writeAndFlush(NIOAny(garbage), promise: nil)
    } catch {
      connection.close(promise: nil)
    }
  }

  private func send(_ context: ChannelHandlerContext, _ payload: HTTP2Frame.FramePayload) {
    context.writeAndFlush(wrapOutboundOut(payload), promise: nil)
  }
}
