import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf
import Testing

extension Acceptance {
  @Suite("The same task again", .daemon(DaemonConfiguration(.scripted())))
  struct RetryTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("while it runs: joins the run, and everybody gets the same answer")
    func whileItRuns() async throws {
      let before = try await daemon.executions()
      let submission = try daemon.submission("delay 1500 once")
      let daemon = daemon
      let answers = try await withThrowingTaskGroup(of: WireResult.self) { group in
        for _ in 0..<8 { group.addTask { try await daemon.submit(submission) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.count == 8)
      #expect(Set(answers.map(\.bytes)).count == 1)
      try daemon.check(answers[0], for: submission)
      #expect(try await daemon.executions() == before + 2, "the question before, and one run for eight callers")
    }

    @Test("afterwards: gets the stored answer, byte for byte, without another run")
    func afterwardsGetsStoredAnswer() async throws {
      let submission = try daemon.submission("echo once", set: .bn254, by: .registered(.bn254))
      let first = try await daemon.submit(submission)
      let before = try await daemon.executions()
      for _ in 0..<3 { #expect(try await daemon.submit(submission).bytes == first.bytes) }
      #expect(try await daemon.executions() == before + 1)
    }

    @Test("under a spelling of its own: gets its own spelling back, and the same signatures")
    func underSpellingOfItsOwn() async throws {
      let submission = try daemon.submission("echo spelt")
      let first = try await daemon.submit(submission)
      var upper = submission
      upper.taskID = "0x" + submission.taskID.dropFirst(2).uppercased()
      let second = try await daemon.submit(upper)
      try daemon.check(second, for: upper)
      #expect(second.taskID == upper.taskID)
      #expect(second.resultSignature == first.resultSignature && second.authSignature == first.authSignature)
    }

    @Test("with other content: is refused for good, whether the first one runs or is done")
    func withOtherContent() async throws {
      let draft = daemon.draft("delay 1500 mine")
      let mine = try TestAggregator.registered(.ecdsa).sign(draft)
      var yours = draft
      yours.payload = Array("echo yours".utf8)
      let others = [
        try TestAggregator.registered(.ecdsa).sign(yours),
        // The same words from another aggregator are another task, too.
        try TestAggregator.registered(.bn254).sign(draft),
      ]
      let daemon = daemon
      async let answer = daemon.answer(to: mine)
      try await wait(until: "the task to run") {
        try await daemon.operations.state().recentTasks.contains { $0.id == mine.taskID && $0.phase == "executing" }
      }
      for other in others { try await expectConflict(other) }
      #expect(try await answer == "mine")
      for other in others { try await expectConflict(other) }
      #expect(try await daemon.answer(to: mine) == "mine")
    }

    private func expectConflict(_ submission: WireSubmission) async throws {
      let error = try await daemon.refusal(of: submission)
      #expect(error.code == .alreadyExists)
      #expect(error.ponosCode == "conflicting_task")
      #expect(error.message.contains(submission.taskID))
    }

    @Test("after its caller went away: the work went on, and the retry gets its result")
    func afterItsCallerWentAway() async throws {
      let before = try await daemon.executions()
      let submission = try daemon.submission("delay 1500 patience")
      let error = try await daemon.refusal(of: submission, options: .within(.milliseconds(300)))
      #expect(error.code == .deadlineExceeded)
      try await wait(until: "the task to be signed without anybody waiting") {
        try await daemon.operations.state().recentTasks.contains { $0.id == submission.taskID && $0.phase == "signed" }
      }
      #expect(try await daemon.answer(to: submission) == "patience")
      #expect(try await daemon.executions() == before + 2)
    }

    @Test("by a stock client whose attempts last 10 s: a task of 12 s is run once and answered")
    func byStockClientWhoseAttemptsLast10S() async throws {
      let before = try await daemon.executions()
      let submission = try daemon.submission("delay 12000 worth waiting for")
      let (result, attempts) = try await StockRetryPolicy().run { options in
        try await daemon.submit(submission, options: options)
      }
      try daemon.check(result, for: submission)
      #expect(attempts == 2)
      #expect(try await daemon.executions() == before + 2)
    }
  }

  @Suite("Failed tasks", .daemon(DaemonConfiguration(.impatient)))
  struct FailedTaskTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test(
      "fail for good after one run, with the code and words of what happened",
      arguments: [
        ("error 3 not a number", "performer_error", "not a number"), ("error 13 broken", "performer_error", "broken"),
        ("retry-later 3600000 9 in an hour", "performer_busy", "in an hour"),
        ("wrong-id", "wrong_task_id", "task_id"), ("empty-id", "wrong_task_id", "task_id"),
        ("oversize 1572864", "output_too_large", "1572863 bytes"), ("oversize 6000000", "output_too_large", "1572863 bytes"),
        ("hang", "task_timed_out", "taskTimeout"),
      ])
    func failForGoodAfterOneRun(payload: String, code: String, words: String) async throws {
      let before = try await daemon.executions()
      let submission = try daemon.submission(payload)
      let first = try await daemon.refusal(of: submission)
      #expect(first.ponosCode == code)
      #expect(first.code == .failedPrecondition)
      #expect(first.message.contains(words), "\(first.message)")
      #expect(!StockRetryPolicy.repeats(first))
      let second = try await daemon.refusal(of: submission)
      #expect(second.ponosCode == code && second.message == first.message)
      #expect(try await daemon.executions() == before + 2, "the question before, and one run")
    }

    @Test(
      "are run again when the performer asks for it, however it says so",
      arguments: ["once 10", "once 14"])
    func areRunAgainWhenPerformerAsksForIt(payload: String) async throws {
      #expect(try await daemon.answer(to: payload) == "again")
    }

    @Test("the largest output that aggregators take is answered")
    func largestOutputThatAggregatorsTakeIsAnswered() async throws {
      let submission = try daemon.submission("oversize 1572863")
      let result = try await daemon.submit(submission)
      try daemon.check(result, for: submission)
      #expect(result.output.count == 1_572_863)
    }

    @Test("a failure is final, so its words never make a stock client send again")
    func failureIsFinal() async throws {
      let error = try await daemon.refusal(of: try daemon.submission("error 2 dial tcp 10.0.0.1: connection refused"))
      #expect(error.ponosCode == "performer_error")
      #expect(!StockRetryPolicy.repeats(error), "\(error.message)")
    }

    @Test("a task that waits until its time is over fails, and the ones before it do not")
    func taskThatWaitsUntilItsTimeIsOverFails() async throws {
      let daemon = daemon
      async let first = daemon.answer(to: "delay 1500 first")
      try await wait(until: "the first task to run") {
        try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
      }
      async let second = daemon.refusal(of: try daemon.submission("hang"))
      // The one slot goes to the second as soon as the first is done, and until its time is over.
      let third = try await daemon.refusal(of: try daemon.submission("delay 1500 third"))
      #expect(try await first == "first")
      #expect(["task_expired", "task_timed_out"].contains(try await second.ponosCode))
      #expect(["task_expired", "task_timed_out"].contains(third.ponosCode))
      #expect(try await daemon.answer(to: "echo after") == "after")
    }
  }
}

extension WireResult {
  /// As they went over the wire.
  var bytes: Data { (try? serializedData()) ?? Data() }
}

extension DaemonConfiguration.AVS {
  /// One task at a time, 2 s each.
  fileprivate static var impatient: DaemonConfiguration.AVS {
    var avs = scripted()
    avs.concurrency = 1
    avs.taskTimeout = "2s"
    return avs
  }
}
