import Synchronization
import Testing

@testable import PonosSystem

/// Waiting under a lock: nobody is forgotten, nobody is answered twice.
@Suite struct WaitersTests {
  /// A value that is set once.
  private final class Promise: Sendable {
    private struct State: Sendable {
      var value: Int?
      var waiters = Waiters<Int?>()
    }

    private let state = Mutex(State())

    var waiting: Int { state.withLock { $0.waiters.count } }

    /// nil when the caller is cancelled first.
    func value() async -> Int? {
      await state.wait(in: \.waiters, cancelled: nil) { state in state.value.map { .some($0) } }
    }

    func settle(_ value: Int) {
      let waiters = state.withLock { state in
        state.value = value
        return state.waiters.takeAll()
      }
      waiters.resume(returning: value)
    }
  }

  private func untilWaiting(_ count: Int, for promise: Promise) async {
    while promise.waiting < count { await Task.yield() }
  }

  @Test func everybodyWhoWaitsIsAnswered() async {
    let promise = Promise()
    await withTaskGroup(of: Int?.self) { group in
      for _ in 0..<10 { group.addTask { await promise.value() } }
      await untilWaiting(10, for: promise)
      promise.settle(7)
      for await value in group { #expect(value == 7) }
    }
    #expect(promise.waiting == 0)
  }

  @Test func whatIsReadyNeedsNoWait() async {
    let promise = Promise()
    promise.settle(1)
    #expect(await promise.value() == 1)
  }

  @Test func aCancelledCallerLeavesTheOthersWaiting() async {
    let promise = Promise()
    let cancelled = Task { await promise.value() }
    await untilWaiting(1, for: promise)
    async let other = promise.value()
    await untilWaiting(2, for: promise)
    cancelled.cancel()
    #expect(await cancelled.value == nil)
    #expect(promise.waiting == 1)
    promise.settle(3)
    #expect(await other == 3)
  }

  @Test func aCallerThatIsCancelledAlreadyDoesNotWait() async {
    let promise = Promise()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await promise.value()
    }
    #expect(await task.value == nil)
  }

  @Test func cancellationsAndAnswersAtTheSameMomentLoseNobody() async {
    for round in 0..<300 {
      let promise = Promise()
      let tasks = (0..<8).map { _ in Task { await promise.value() } }
      await withTaskGroup(of: Void.self) { group in
        for task in tasks.prefix(4) { group.addTask { task.cancel() } }
        group.addTask { promise.settle(round) }
      }
      for (index, task) in tasks.enumerated() {
        let value = await task.value
        #expect(value == round || (index < 4 && value == nil))
      }
    }
  }
}
