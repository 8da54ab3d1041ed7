import Foundation
import Logging
import PonosCore
import PonosCrypto
import PonosTelemetry
import Synchronization

/// What others did that an operator may have to prove: one JSON object a line, in a file that is only ever appended to, and in the log.
///
/// Each line is written with one system call to a file opened for it, so the file may be rotated at any time. What comes faster than
/// `linesPerSecond` is counted instead: whoever causes entries must not be able to fill the disk with them.
package final class AuditLog: Sendable {
  /// Something worth proving.
  package enum Event: Sendable {
    /// An aggregator signed a task with an id that stands for another one; its signature is the proof. `holder` is whose that one is.
    case conflictingTask(TaskSubmission, holder: TaskOwner)
    /// A performer answered otherwise than with the digest recorded for the task; nothing was signed.
    case digestConflict(TaskSubmission, recorded: Digest32, refused: Digest32)
  }

  /// Entries written in one second.
  package static let linesPerSecond = 20

  private struct Window {
    var second: Int64 = 0
    var lines = 0
    /// Entries left out since the last one written.
    var suppressed = 0
  }

  private let path: String?
  private let logger: Logger
  private let now: @Sendable () -> UnixMilliseconds
  private let window = Mutex(Window())

  /// - Parameter path: The file; nil for the log alone.
  package init(path: String?, logger: Logger, now: @escaping @Sendable () -> UnixMilliseconds) {
    self.path = path
    self.logger = logger
    self.now = now
  }

  /// Writes an entry. A file that cannot be written is reported in the log, where the entry is too.
  package func record(_ event: Event) {
    let time = now()
    let suppressed = window.withLock { window -> Int? in
      if window.second != time / 1000 { (window.second, window.lines) = (time / 1000, 0) }
      window.lines += 1
      guard window.lines <= Self.linesPerSecond else {
        window.suppressed += 1
        return nil
      }
      defer { window.suppressed = 0 }
      return window.suppressed
    }
    guard let suppressed else { return }
    var fields = event.fields
    if suppressed > 0 { fields[LogKey.suppressed] = "\(suppressed)" }
    logger.warning("\(event.sentence)", metadata: fields.mapValues { "\($0)" })
    append(fields, at: time)
  }

  private func append(_ fields: [String: String], at time: UnixMilliseconds) {
    guard let path else { return }
    do {
      let date = Date(timeIntervalSince1970: Double(time) / 1000)
      var fields = fields
      fields["time"] = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try Self.append(try encoder.encode(fields) + Data("\n".utf8), to: path)
    } catch {
      logger.error("the audit file cannot be written", metadata: [LogKey.path: "\(path)", LogKey.error: "\(error)"])
    }
  }

  private struct WriteFailure: Error, CustomStringConvertible {
    let description = String(cString: strerror(errno))
  }

  private static func append(_ line: Data, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw WriteFailure() }
    defer { close(descriptor) }
    let written = line.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard written == line.count else { throw WriteFailure() }
  }
}

extension AuditLog.Event {
  fileprivate var sentence: String {
    switch self {
    case .conflictingTask: "an aggregator submitted another task under an id that is taken; it was refused"
    case .digestConflict: "a result differs from the digest recorded for its task; it was not signed"
    }
  }

  /// What an entry holds besides its time; values are text, byte strings in hex.
  fileprivate var fields: [String: String] {
    switch self {
    case .conflictingTask(let submission, let holder):
      var fields = Self.fields("conflicting_task", submission)
      fields[LogKey.payloadHash] = "\(Keccak256.hash(submission.payload))"
      fields[LogKey.referenceTimestamp] = "\(submission.referenceTimestamp)"
      fields[LogKey.blockNumber] = "\(submission.taskBlockNumber)"
      fields[LogKey.signature] = Hex.encodePrefixed(submission.signature)
      fields[LogKey.holderAVS] = "\(holder.avs)"
      fields[LogKey.holderAggregator] = "\(holder.aggregator)"
      return fields
    case .digestConflict(let submission, let recorded, let refused):
      var fields = Self.fields("digest_conflict", submission)
      fields[LogKey.recordedDigest] = "\(recorded)"
      fields[LogKey.refusedDigest] = "\(refused)"
      return fields
    }
  }

  private static func fields(_ event: String, _ submission: TaskSubmission) -> [String: String] {
    [
      LogKey.audit: event, LogKey.taskID: "\(submission.id)", LogKey.avs: "\(submission.operatorSet.avs)",
      LogKey.operatorSet: "\(submission.operatorSet.id)", LogKey.aggregator: "\(submission.aggregator)",
    ]
  }
}
