import Foundation
import GRPCCore
import PonosAPI
import PonosPerformer
import Synchronization
import SwiftProtobuf
import Testing

@Suite struct TaskTests {
  @Test func answersWithTheResultAndTheSameID() async throws {
    let server = try PerformerServer(settings: .test) { task in task.payload.reversed() }
    try await RunningPerformer.with(server) { running async throws in
      let response = try await running.tasks.executeTask(
        .with {
          $0.taskID = Data(RunningPerformer.someID.utf8); $0.payload = Data([1, 2, 3])
        })
      #expect(response.result == Data([3, 2, 1]))
      #expect(response.taskID == Data(RunningPerformer.someID.utf8))
    }
  }

  @Test func handlerSeesTheIDAsText() async throws {
    let server = try PerformerServer(settings: .test) { task in Array(task.id.utf8) }
    try await RunningPerformer.with(server) { running async throws in
      #expect(try await running.answer("") == RunningPerformer.someID)
    }
  }

  @Test func startSyncIsAnswered() async throws {
    let server = try PerformerServer(settings: .test) { _ in [] }
    try await RunningPerformer.with(server) { running async throws in
      _ = try await running.tasks.startSync(.init())
    }
  }

  @Test(arguments: [
    ("refuse", RPCError.Code.invalidArgument, "no such thing"),
    ("permanent", .failedPrecondition, "cannot be computed"),
    ("retryable", .unavailable, "the source is down"),
    ("surprise", .unknown, "the performer failed; its log has the cause"),
    ("oversize", .failedPrecondition, "the result has 1572864 bytes: at most 1572863 can be delivered"),
  ])
  func errorsBecomeStatusCodes(payload: String, code: RPCError.Code, message: String) async throws {
    try await RunningPerformer.with(PerformerServer(Moody(), settings: .test)) { running async throws in
      let error = try await #require(throws: RPCError.self) { try await running.answer(payload) }
      #expect(error.code == code)
      #expect(error.message == message)
    }
  }

  @Test func largestResultPasses() async throws {
    let server = try PerformerServer(settings: .test) { _ in [UInt8](repeating: 7, count: PerformerServer.maxResultBytes) }
    try await RunningPerformer.with(server) { running async throws in
      #expect(try await running.answer("").utf8.count == 1_572_863)
    }
  }

  @Test func tasksBeyondTheLimitAreRefusedAtOnceAndLaterAccepted() async throws {
    var settings = PerformerSettings.test
    settings.maxConcurrentTasks = 1
    let gate = Gate()
    let server = try PerformerServer(settings: settings) { task in
      if task.payload == Array("wait".utf8) { try await gate.pass() }
      return []
    }
    try await RunningPerformer.with(server) { running async throws in
      async let first = running.answer("wait")
      #expect(try await eventually { gate.waiting == 1 })
      #expect(try await status { try await running.answer("next") } == .unavailable)
      gate.open()
      _ = try await first
      #expect(try await status { try await running.answer("next") } == nil)
    }
  }

  @Test func handlerIsCancelledWhenTheCallerGivesUp() async throws {
    let cancelled = Mutex(false)
    let server = try PerformerServer(settings: .test) { task in
      guard task.payload == Array("wait".utf8) else { return [] }
      do {
        try await Task.sleep(for: .seconds(60))
      } catch {
        cancelled.withLock { $0 = true }
        throw error
      }
      return []
    }
    try await RunningPerformer.with(server) { running async throws in
      // Connected first, so that the time is spent in the handler.
      _ = try await running.answer("")
      var options = CallOptions.defaults
      options.timeout = .milliseconds(200)
      let limited = options
      await #expect(throws: RPCError.self) {
        try await running.tasks.executeTask(.with { $0.payload = Data("wait".utf8) }, options: limited)
      }
      #expect(try await eventually { cancelled.withLock { $0 } })
    }
  }

  @Test func textOfAPayloadThatIsNotUTF8IsRefused() throws {
    #expect(throws: PerformerError.permanent("the payload is not UTF-8 text")) {
      try PerformerTask(id: "0x", payload: [0xff]).text
    }
    #expect(try PerformerTask(id: "0x", payload: Array("grün".utf8)).text == "grün")
  }
}

/// Fails in the way its payload names.
private struct Moody: Performer {
  func validate(_ task: PerformerTask) throws {
    if try task.text == "refuse" { throw PerformerError.permanent("no such thing") }
  }

  func handle(_ task: PerformerTask) throws -> [UInt8] {
    switch try task.text {
    case "permanent": throw PerformerError.permanent("cannot be computed")
    case "retryable": throw PerformerError.retryable("the source is down")
    case "oversize": return [UInt8](repeating: 0, count: PerformerServer.maxResultBytes + 1)
    default: throw Surprise()
    }
  }

  struct Surprise: Error {}
}

/// Holds those who want to pass until it is opened.
final class Gate: Sendable {
  private let state = Mutex((isOpen: false, waiting: 0))

  var waiting: Int { state.withLock { $0.waiting } }

  func open() { state.withLock { $0.isOpen = true } }

  func pass() async throws {
    state.withLock { $0.waiting += 1 }
    while !state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(2)) }
  }
}
