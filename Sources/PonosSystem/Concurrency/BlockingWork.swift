import Foundation

/// Runs work that blocks its thread or computes for seconds. The concurrency runtime has few threads, which such work would keep from
/// everybody else.
package enum BlockingWork {
  /// Runs `work` on a thread of its own.
  package static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result { try work() }) }
    }
  }

  /// Runs `work`, which throws nothing, on a thread of its own.
  package static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: work()) }
    }
  }
}
