import Foundation
import Logging
import PonosSystem
import PonosTelemetry
import ServiceLifecycle

/// Backs the database up into a directory at intervals and keeps the newest copies.
package struct BackupService: Service {
  /// Where copies go, how often, and how many stay.
  package struct Settings: Sendable, Equatable {
    package var directory: String
    package var interval: Duration
    /// Copies that are kept, at least 1.
    package var keep: Int

    package init(directory: String, interval: Duration, keep: Int) {
      self.directory = directory
      self.interval = interval
      self.keep = keep
    }
  }

  private let database: String
  private let settings: Settings
  private let observe: @Sendable (StoreEvent) -> Void
  private let logger: Logger
  private let now: @Sendable () -> Date
  private let sleep: @Sendable (Duration) async throws -> Void

  package init(
    database: String, settings: Settings, observe: @escaping @Sendable (StoreEvent) -> Void = { _ in }, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.database = database
    self.settings = settings
    self.observe = observe
    self.logger = logger
    self.now = now
    self.sleep = sleep
  }

  /// After a failure a backup is tried again no sooner than this.
  private static let pauseAfterFailure = Duration.seconds(600)

  /// Backs up when the newest copy is older than the interval, so that restarts neither skip a turn nor add one.
  package func run() async throws {
    removePartialCopies()
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
      let bytes = try await StoreBackup.writeUnlessCancelled(from: database, to: target)
      observe(.backedUp(at: now()))
      logger.info("backed up the database", metadata: [LogKey.path: "\(target)", LogKey.bytes: "\(bytes)"])
      try removeOldCopies()
      return true
    } catch {
      // One that a stop has ended is made after the next start.
      if Task.isCancelled { return false }
      observe(.backupFailed)
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

  /// A process that was killed in the middle of a copy leaves what it had, under a name that no later one takes.
  private func removePartialCopies() {
    guard FileManager.default.fileExists(atPath: settings.directory) else { return }
    do {
      try PrivateFile.removePartials(in: settings.directory) { BackupName.date($0) != nil }
    } catch {
      logger.warning(
        "what an interrupted backup left behind could not be removed",
        metadata: [LogKey.path: "\(settings.directory)", LogKey.error: "\(error)"])
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
