import NIOCore

/// Joins the small writes of one turn of the event loop into one.
///
/// swift-nio-http2 writes the header of a frame and its payload one by one, each in memory of its own. Joined, they are one entry in the
/// channel's list of pending writes and, with TLS, one record instead of many. Its place is next to the network, or next to the TLS
/// handler when there is one.
final class WriteCoalescer: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Writes of more bytes are passed on as they are: copying them costs more than it saves.
  private static let maxCopied = 4 << 10
  /// Bytes after which what was joined is passed on, so that the channel knows how much it holds.
  private static let maxHeld = 16 << 10
  /// Largest memory kept for the next turn; a connection may be idle for long.
  private static let maxKept = 4 << 10

  private var held = ByteBuffer()
  /// Completed by the write of what is held; nil while nobody has to know.
  private var promise: EventLoopPromise<Void>?
  /// Whether ``held`` is already on its way, and only its memory is kept.
  private var isPassedOn = true

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .byteBuffer(let bytes) = unwrapOutboundIn(data), bytes.readableBytes <= Self.maxCopied else {
      passOn(context)
      context.write(data, promise: promise)
      return
    }
    if isPassedOn {
      isPassedOn = false
      held.clear()
    }
    held.writeImmutableBuffer(bytes)
    if let promise { hold(promise) }
    if held.readableBytes >= Self.maxHeld { passOn(context) }
  }

  func flush(context: ChannelHandlerContext) {
    passOn(context)
    context.flush()
    // Whoever waited for the flush may have written again.
    if isPassedOn, held.storageCapacity > Self.maxKept { held = ByteBuffer() }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    passOn(context)
    context.close(mode: mode, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    promise?.fail(ChannelError.ioOnClosedChannel)
    promise = nil
  }

  private func hold(_ next: EventLoopPromise<Void>) {
    if let promise {
      promise.futureResult.cascade(to: next)
    } else {
      promise = next
    }
  }

  private func passOn(_ context: ChannelHandlerContext) {
    guard !isPassedOn else { return }
    isPassedOn = true
    let promise = promise
    self.promise = nil
    context.write(wrapOutboundOut(.byteBuffer(held)), promise: promise)
  }
}
