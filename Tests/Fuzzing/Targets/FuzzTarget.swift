/// One reader of bytes from outside, ready to be given any bytes.
///
/// A run that returns has passed; a fault crashes the process, as a fuzzer expects. What a reader refuses is no fault.
package struct FuzzTarget: Sendable {
  /// Also the name of its folder in `Tests/Fuzzing/Corpus`.
  package let name: String
  /// Pieces that mean something to the reader, for mutations to put in.
  package let words: [[UInt8]]
  package let run: @Sendable ([UInt8]) -> Void

  package init(_ name: String, words: [String] = [], run: @escaping @Sendable ([UInt8]) -> Void) {
    self.init(name, words: words.map { Array($0.utf8) }, run: run)
  }

  package init(_ name: String, words: [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.words = words
    self.run = run
  }

  /// All of them.
  package static let all: [FuzzTarget] =
    transport + [
      .submission, .streamMessages, .urgency, .configuration, .keystore, .keystoreOpening, .signedHistory, .dockerReplies,
      .dockerLog, .dockerLines, .httpReplies, .statusDetails, .contractAnswers, .rpcReplies,
    ]

  /// The readers of the gRPC transport.
  package static let transport: [FuzzTarget] = [
    .serverConnection, .clientConnection, .messages, .headerFields,
  ]
}
