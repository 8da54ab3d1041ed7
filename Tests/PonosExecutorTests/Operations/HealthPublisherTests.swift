import PonosTesting
import Synchronization
import Testing

@testable import PonosExecutor

@Suite struct HealthPublisherTests {
  @Test func oneLookServesEverybodyWhoWatches() async throws {
    let looks = Atomic(0)
    let isServing = Atomic(true)
    let publisher = HealthPublisher(interval: .milliseconds(20)) {
      looks.add(1, ordering: .relaxed)
      return isServing.load(ordering: .relaxed)
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await publisher.run() }
      for _ in 0..<500 { group.addTask { await publisher.changed(from: false) } }
      // All watchers hear of the first look, and again of the change.
      for _ in 0..<500 { await group.next() }
      #expect(publisher.current)
      let before = looks.load(ordering: .relaxed)
      for _ in 0..<500 { group.addTask { await publisher.changed(from: true) } }
      isServing.store(false, ordering: .relaxed)
      for _ in 0..<500 { await group.next() }
      #expect(!publisher.current)
      #expect(looks.load(ordering: .relaxed) - before < 100, "looks do not grow with those who watch")
      group.cancelAll()
    }
  }

  @Test func watchesHaveABound() {
    let publisher = HealthPublisher { true }
    for _ in 0..<HealthPublisher.maxWatches { #expect(publisher.beginWatch()) }
    #expect(!publisher.beginWatch())
    publisher.endWatch()
    #expect(publisher.beginWatch())
  }

  @Test func aQuestionBeforeTheFirstLookIsAnsweredAndNothingServesAfterTheEnd() async throws {
    let publisher = HealthPublisher(interval: .milliseconds(5)) { true }
    #expect(publisher.current)
    let running = Task { try await publisher.run() }
    try await eventually { publisher.current }
    running.cancel()
    try await running.value
    #expect(!publisher.current)
  }
}
