/// Why a task brought no result, and whether trying again can help.
///
/// The message travels to the executor and into its log: say what was wrong with which part of the payload, and no secrets.
public struct PerformerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Whether another attempt can end differently.
  public enum Kind: Sendable, Hashable {
    /// The task itself is the cause; it fails the same way every time. The executor records the failure.
    case permanent
    /// The cause is outside the task and may pass (a data source that is down). The executor tries again.
    case retryable
  }

  public let kind: Kind
  /// What went wrong, in one sentence.
  public let message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The task itself is the cause.
  public static func permanent(_ message: String) -> PerformerError {
    PerformerError(.permanent, message)
  }

  /// The cause may pass.
  public static func retryable(_ message: String) -> PerformerError {
    PerformerError(.retryable, message)
  }

  public var description: String { message }
}
