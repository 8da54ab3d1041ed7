public import Logging

/// One task, as the executor hands it over.
public struct PerformerTask: Sendable {
  /// `0x` and 64 hex digits; the same for every operator and every attempt.
  public let id: String
  /// What the aggregator sent, untouched; may be empty.
  public let payload: [UInt8]
  /// Writes lines that carry the id of the task.
  public let log: Logger

  /// A task of your own making, to test a performer with.
  public init(id: String, payload: some Sequence<UInt8>, log: Logger = Logger(label: "task") { _ in SwiftLogNoOpLogHandler() }) {
    self.id = id
    self.payload = Array(payload)
    self.log = log
  }

  /// The payload as UTF-8 text.
  ///
  /// - Throws: A permanent ``PerformerError`` when it is not valid UTF-8.
  public var text: String {
    get throws(PerformerError) {
      guard let text = String(validating: payload, as: UTF8.self) else {
        throw .permanent("the payload is not UTF-8 text")
      }
      return text
    }
  }
}
