import Testing

@testable import PonosSystem

/// Operations with a limit: their value, their error, or nothing in time.
@Suite struct DeadlineTests {
  private struct Broken: Error, Equatable {}

  /// Ends only when it is cancelled.
  private static func untilCancelled() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
    continuation.finish()
  }

  @Test func whatEndsInTimeHasItsValue() async {
    #expect(await withDeadline(.seconds(60)) { 5 } == 5)
  }

  @Test func aValueThatMayBeMissingIsNotATimeout() async {
    let value = await withDeadline(.seconds(60)) { () -> Int? in nil }
    #expect(value == .some(nil))
  }

  @Test func whatTakesLongerIsCancelled() async {
    let wasCancelled = await withDeadline(.milliseconds(5)) { () -> Bool in
      await Self.untilCancelled()
      return Task.isCancelled
    }
    #expect(wasCancelled == nil)
  }

  @Test func errorsKeepTheirType() async {
    do throws(Broken) {
      _ = try await withDeadline(.seconds(60)) { () async throws(Broken) -> Int in throw Broken() }
      Issue.record("nothing was thrown")
    } catch { #expect(error == Broken()) }
  }

  @Test func aCancelledCallerGetsWhatTheOperationMakesOfIt() async {
    let task = Task {
      await withDeadline(.seconds(60)) { () -> String in
        await Self.untilCancelled()
        return Task.isCancelled ? "cancelled" : "not cancelled"
      }
    }
    task.cancel()
    #expect(await task.value == "cancelled")
  }
}
