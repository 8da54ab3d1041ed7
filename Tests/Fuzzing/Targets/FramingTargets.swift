import GRPCCore
import NIOCore

@testable import PonosTransport

extension FuzzTarget {
  /// Messages of a call: the input is the DATA of one direction, cut by its first byte.
  ///
  /// Checks that no message is longer than allowed, that credit is returned once for each byte, that the cuts make no difference, and
  /// that no more memory is kept than the message in the making needs.
  static let messages = FuzzTarget("messages", words: [[0, 0, 0, 0, 1, 7], [1, 0, 0, 0, 20, 0x1f, 0x8b, 8], [0xff]]) { input in
    let cut = assemble(pieces(input))
    let whole = assemble([Array(input.dropFirst())])
    precondition(cut.messages == whole.messages && cut.isRefused == whole.isRefused, "cuts change what is read")
    precondition(cut.credit <= input.count && whole.credit <= input.count, "more credit than bytes")
  }

  private struct Assembly {
    var messages: [MessageBytes] = []
    var credit = 0
    var isRefused = false
  }

  private static func assemble(_ pieces: [[UInt8]]) -> Assembly {
    let limit = 32 << 10
    let limits = DecompressionLimits(maxBytes: limit)
    var assembler = MessageAssembler(maxMessageBytes: limit, acceptsGzip: true)
    var (result, unread) = (Assembly(), 0)
    do throws(CallFault) {
      for piece in pieces {
        assembler.append(ByteBuffer(bytes: piece))
        unread += piece.count
        while let message = try assembler.next() {
          let read = message.bytes.isCompressed ? try message.bytes.decompressed(limits) : message.bytes
          precondition(read.buffer.readableBytes <= limit, "a message is longer than allowed")
          result.messages.append(read)
          unread -= message.weight.held
          result.credit += message.weight.credit
        }
        result.credit += assembler.creditForPartial()
        // A buffer that grows doubles, and one that is cut out of a little more is not copied.
        precondition(assembler.storedBytes <= 4 * unread + 256, "what has been read is kept")
      }
    } catch {
      result.isRefused = true
    }
    return result
  }

  /// Header fields, one in a line with a colon between name and value, read as a request, a response and trailers.
  ///
  /// Checks that metadata that was read can be passed on.
  static let headerFields = FuzzTarget(
    "header-fields",
    words: [
      ":method: POST\n", ":path: /a.B/C\n", "content-type: application/grpc\n", "te: trailers\n", "grpc-timeout: 10m\n",
      "grpc-encoding: gzip\n", "grpc-status: 5\n", "grpc-message: %41\n", "x-bin: AAA=\n", ":status: 200\n",
    ]
  ) { input in
    let headers = HeaderFields(fields(input))
    let method = MethodDescriptor(fullyQualifiedService: "a.B", method: "C")
    if let head = try? ParsedRequest(headers, methods: ["/a.B/C": ServedMethod(method)]) { checkRoundTrip(head.metadata) }
    for endStream in [true, false] {
      if case .initial(let metadata, _) = ParsedResponse(first: headers, endStream: endStream) { checkRoundTrip(metadata) }
    }
    _ = ParsedResponse(trailers: headers)
  }

  private static func fields(_ input: [UInt8]) -> [(String, String)] {
    input.split(separator: UInt8(ascii: "\n")).prefix(64).map { line in
      let text = String(decoding: line, as: UTF8.self)
      // A colon at the beginning is part of the name.
      guard let colon = text.dropFirst().firstIndex(of: ":") else { return (text, "") }
      return (String(text[..<colon]), String(text[text.index(after: colon)...].drop { $0 == " " }))
    }
  }

  /// What HTTP/2 can carry of `metadata` has to arrive unchanged.
  private static func checkRoundTrip(_ metadata: Metadata) {
    let carried = carry(metadata)
    precondition(carry(carried) == carried, "metadata changes on its way: \(carried), then \(carry(carried))")
  }

  private static func carry(_ metadata: Metadata) -> Metadata {
    var headers = HeaderFields()
    MetadataCoding.append(metadata, to: &headers)
    return MetadataCoding.metadata(from: headers)
  }
}
