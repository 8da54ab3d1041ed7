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

  @Test func whoIsNotCancelledWaitsOn() async {
    let state = Mutex(Waiters<Int>())
    let task = Task { await state.waitUncancelled(in: \.self, unless: { _ in nil }) }
    while state.withLock({ $0.isEmpty }) { await Task.yield() }
    task.cancel()
    #expect(state.withLock { $0.count } == 1)
    state.withLock { $0.takeAll() }.resume(returning: 9)
    #expect(await task.value == 9)
  }
}

/// Waiting for one of many things.
@Suite struct KeyedWaitersTests {
  private final class Board: Sendable {
    struct State: Sendable {
      var values: [Int: Int] = [:]
      var waiters = KeyedWaiters<Int, Int?>()
    }

    let state = Mutex(State())

    func value(of key: Int, registered: () -> Void = {}) async -> Int? {
      await state.wait(
        in: \.waiters, for: key, cancelled: nil, unless: { state in state.values[key].map { .some($0) } }, registered: registered)
    }

    func settle(_ key: Int, _ value: Int) {
      state.withLock { state in
        state.values[key] = value
        return state.waiters.take(key)
      }.resume(returning: value)
    }
  }

  @Test func whatIsStartedByTheWaitMayAnswerIt() async {
    let board = Board()
    #expect(await board.value(of: 1, registered: { board.settle(1, 10) }) == 10)
    #expect(await board.value(of: 1, registered: { Issue.record("nothing is to be waited for") }) == 10)
  }

  @Test func onlyThoseOfTheKeyAreAnswered() async {
    let board = Board()
    async let one = board.value(of: 1)
    async let two = board.value(of: 2)
    while !board.state.withLock({ $0.waiters.contains(1) && $0.waiters.contains(2) }) { await Task.yield() }
    board.settle(2, 20)
    #expect(await two == 20)
    #expect(board.state.withLock { $0.waiters.contains(1) && !$0.waiters.contains(2) })
    board.state.withLock { $0.waiters.takeAll() }.resume(returning: 0)
    #expect(await one == 0)
  }

  @Test func aCancelledCallerLeavesNoEntryBehind() async {
    let board = Board()
    let task = Task { await board.value(of: 3) }
    while !board.state.withLock({ $0.waiters.contains(3) }) { await Task.yield() }
    task.cancel()
    #expect(await task.value == nil)
    #expect(board.state.withLock { !$0.waiters.contains(3) })
  }

  @Test func cancellationsAndAnswersAtTheSameMomentLoseNobody() async {
    for round in 0..<300 {
      let board = Board()
      let tasks = (0..<8).map { index in (key: index % 3, task: Task { await board.value(of: index % 3) }) }
      await withTaskGroup(of: Void.self) { group in
        for (index, entry) in tasks.enumerated() where index.isMultiple(of: 2) { group.addTask { entry.task.cancel() } }
        for key in 0..<3 { group.addTask { board.settle(key, round + key) } }
      }
      for (index, entry) in tasks.enumerated() {
        let value = await entry.task.value
        #expect(value == round + entry.key || (index.isMultiple(of: 2) && value == nil))
      }
      #expect(board.state.withLock { state in (0..<3).allSatisfy { !state.waiters.contains($0) } })
    }
  }
}
