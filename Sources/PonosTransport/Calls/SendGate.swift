import GRPCCore
import NIOCore
import Synchronization

/// Makes the writers of a call wait while too many of its bytes wait for the peer.
///
/// All state belongs to the event loop of the connection.
final class SendGate: @unchecked Sendable {
  private let eventLoop: any EventLoop
  private let numbers = Atomic<UInt64>(0)

  // Event loop only.
  private var budget: SendBudget
  private var waiting: [(number: UInt64, continuation: UnsafeContinuation<Void, any Error>)] = []
  /// Writers that were cancelled before they came to wait.
  private var cancelledWriters: Set<UInt64> = []
  private var closed: RPCError?

  init(eventLoop: any EventLoop, budget: SendBudget = SendBudget()) {
    self.eventLoop = eventLoop
    self.budget = budget
  }

  /// Whether the next writer has to wait. Event loop only.
  var isShut: Bool { budget.isExhausted && closed == nil }

  /// Notes a message of `bytes` that waits to be sent. Event loop only.
  func admit(_ bytes: Int) {
    budget.add(bytes)
  }

  /// Notes that a message of `bytes` has gone. Event loop only.
  func release(_ bytes: Int) {
    budget.remove(bytes)
    guard !waiting.isEmpty, !budget.isExhausted else { return }
    let ready = waiting
    waiting.removeAll()
    for writer in ready { writer.continuation.resume() }
  }

  /// Lets all writers go with an error. Event loop only.
  func close(_ error: RPCError) {
    guard closed == nil else { return }
    closed = error
    let stopped = waiting
    waiting.removeAll()
    for writer in stopped { writer.continuation.resume(throwing: error) }
  }

  /// Suspends until bytes may be written. Throws when the call ends first or the task is cancelled.
  func waitForRoom() async throws {
    let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
        if eventLoop.inEventLoop {
          park(continuation, number: number)
        } else {
          eventLoop.execute { self.park(continuation, number: number) }
        }
      }
    } onCancel: {
      eventLoop.execute { self.cancelWriter(number) }
    }
  }

  private func park(_ continuation: UnsafeContinuation<Void, any Error>, number: UInt64) {
    if let closed {
      continuation.resume(throwing: closed)
    } else if cancelledWriters.remove(number) != nil {
      continuation.resume(throwing: Self.cancelled)
    } else if !budget.isExhausted {
      continuation.resume()
    } else {
      waiting.append((number, continuation))
    }
  }

  private func cancelWriter(_ number: UInt64) {
    if let index = waiting.firstIndex(where: { $0.number == number }) {
      waiting.remove(at: index).continuation.resume(throwing: Self.cancelled)
    } else {
      cancelledWriters.insert(number)
    }
  }

  private static var cancelled: RPCError {
    RPCError(code: .cancelled, message: "the task writing to the call was cancelled")
  }
}
