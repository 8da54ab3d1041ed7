import Foundation
import Logging
import ServiceLifecycle

/// Backs the database up into a directory at intervals and keeps the newest copies.
package struct BackupService: Service {
  private let database: String
  private let settings: BackupConfig
  private let metrics: ExecutorMetrics
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let sleep: @Sendable (Duration) async throws -> Void

  package init(
    database: String, settings: BackupConfig, metrics: ExecutorMetrics, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.database = database
    self.settings = settings
    self.metrics = metrics
    self.logger = logger
    self.now = now
    self.sleep = sleep
  }

  /// After a failure a backup is tried again no sooner than this.
  private static let pauseAfterFailure = Duration.seconds(600)

  /// Backs up when the newest copy is older than the interval, so that restarts neither skip a turn nor add one.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var pause = untilNext()
      while !Task.isCancelled {
        do { try await sleep(pause) } catch { return }
        pause = await backUp() ? untilNext() : Self.pauseAfterFailure
      }
    }
  }

  /// One backup; returns whether it worked. A failure is logged and counted.
  package func backUp() async -> Bool {
    do {
      let target = settings.directory + "/" + BackupName.make(at: now())
      try FileManager.default.createDirectory(
        atPath: settings.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let bytes = try await Self.offThePool { [database] in
        Result { () throws(StoreError) in try StoreBackup.write(from: database, to: target) }
      }.get()
      metrics.storeBackedUp(at: now())
      logger.info("backed up the database", metadata: [LogKey.path: "\(target)", LogKey.bytes: "\(bytes)"])
      try removeOldCopies()
      return true
    } catch {
      metrics.storeBackupFailed()
      logger.error("the database could not be backed up", metadata: [LogKey.error: "\(error)"])
      return false
    }
  }

  /// Time until the next copy is due; none when there is no copy yet.
  private func untilNext() -> Duration {
    guard let copies = try? copies(), let newest = copies.last.flatMap(BackupName.date) else { return .zero }
    let due = newest.addingTimeInterval(settings.interval / .seconds(1))
    return .seconds(max(0, due.timeIntervalSince(now())))
  }

  private func removeOldCopies() throws {
    for name in try copies().dropLast(settings.keep) {
      try FileManager.default.removeItem(atPath: settings.directory + "/" + name)
    }
  }

  /// Names of our copies in the directory, oldest first.
  private func copies() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: settings.directory).filter { BackupName.date($0) != nil }.sorted()
  }

  /// Copying blocks its thread for seconds, which the threads of the concurrency runtime must not be.
  private static func offThePool<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: work()) }
    }
  }
}

/// The names of scheduled copies, `executor-20261124T015050Z.db`: in the order of their time when sorted.
enum BackupName {
  private static let prefix = "executor-"
  private static let suffix = ".db"

  static func make(at date: Date) -> String { prefix + date.formatted(style) + suffix }

  /// When the copy of that name was made; nil for another file.
  static func date(_ name: String) -> Date? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    return try? style.parse(String(name.dropFirst(prefix.count).dropLast(suffix.count)))
  }

  private static let style = Date.ISO8601FormatStyle(
    dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted, timeZone: .gmt)
}
