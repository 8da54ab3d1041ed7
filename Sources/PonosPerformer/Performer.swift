/// The work of one AVS: turns the payload of a task into its result.
///
/// Executors of many operators run the same task and sign what their performer answers, so a performer must be deterministic:
/// the same payload gives the same bytes, whatever the clock, the machine or the order of tasks.
///
/// One value serves all tasks, many at a time. A task may come more than once (an executor tries again after a broken
/// connection), so work with outside effects has to be idempotent by ``PerformerTask/id``.
public protocol Performer: Sendable {
  /// Says whether `task` can be worked on at all; throws a ``PerformerError`` that names what is wrong with it.
  ///
  /// Called before ``handle(_:)``. Accepts everything unless you say otherwise.
  func validate(_ task: PerformerTask) async throws

  /// The result of `task`: at most ``PerformerServer/maxResultBytes`` bytes, handed to the aggregator as they are.
  ///
  /// - Throws: A ``PerformerError``. Any other error counts as permanent, and its text stays in the performer's log.
  func handle(_ task: PerformerTask) async throws -> [UInt8]
}

extension Performer {
  public func validate(_ task: PerformerTask) async throws {}
}

/// A performer made of two closures.
struct ClosurePerformer: Performer {
  let validation: @Sendable (PerformerTask) async throws -> Void
  let handling: @Sendable (PerformerTask) async throws -> [UInt8]

  func validate(_ task: PerformerTask) async throws {
    try await validation(task)
  }

  func handle(_ task: PerformerTask) async throws -> [UInt8] {
    try await handling(task)
  }
}
