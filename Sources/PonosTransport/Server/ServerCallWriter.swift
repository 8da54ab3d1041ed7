import GRPCCore

/// Writes the response of a call.
struct ServerCallWriter: ClosableRPCWriterProtocol {
  typealias Element = ServerCall.OutboundPart

  let call: ServerCall

  func write(_ part: Element) async throws {
    try await CallWriter(call: call).write(part)
  }

  func write(contentsOf parts: some Sequence<Element>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async {
    await CallWriter(call: call).finish()
  }

  func finish(throwing error: any Error) async {
    await CallWriter(call: call).finish(throwing: error)
  }
}
