import GRPCCore
import PonosAPI
import PonosCore
import PonosExecutor
import PonosSystem
import Synchronization

/// One stream under a submitter's sessions.
package final class SubmitterConnection: Sendable {
  /// Messages that may wait for an executor that reads slowly, before it is not listened to.
  private static let maxUnwritten = 4096

  /// How long last words may take to leave.
  private static let farewell = Duration.seconds(1)

  let number: UInt64
  private let submitter: StreamSubmitter
  private let tick: Duration
  private let outbound = OutboundQueue<Ponos_V1_AggregatorMessage>(limit: maxUnwritten)
  private let over: AsyncStream<Void>
  private let overContinuation: AsyncStream<Void>.Continuation
  /// Finished with the executor's end of the stream.
  private let heardOut: AsyncStream<Never>
  private let heardOutContinuation: AsyncStream<Never>.Continuation
  private let reason = Mutex<SessionEnd?>(nil)

  init(number: UInt64, submitter: StreamSubmitter, tick: Duration) {
    self.number = number
    self.submitter = submitter
    self.tick = tick
    (over, overContinuation) = AsyncStream.makeStream()
    (heardOut, heardOutContinuation) = AsyncStream.makeStream()
  }

  /// Why the session ended; nil before that.
  var end: SessionEnd? { reason.withLock(\.self) }

  func say(_ message: AggregatorMessage) { outbound.enqueue(message.wire) }

  func close(_ end: SessionEnd) {
    reason.withLock { $0 = end }
    outbound.finish()
    overContinuation.finish()
  }

  /// Lets go of the stream without a word.
  func abandon() {
    overContinuation.finish()
  }

  /// Writes what the aggregator says, until the session's end. Runs beside `run`.
  package func write(to writer: RPCWriter<Ponos_V1_AggregatorMessage>) async {
    do { try await outbound.write(to: writer) } catch {
      submitter.handle(.end(.disconnected("it could not be written to (\(error))")), on: self)
    }
  }

  /// Holds the session until its end.
  package func run(reading messages: RPCAsyncSequence<Ponos_V1_ExecutorMessage, any Error>) async {
    submitter.begin(self)
    await withDiscardingTaskGroup { group in
      group.addTask { await self.read(messages) }
      group.addTask { await self.beat() }
      for await _ in over {}
      // After `close` the last words may leave; after `abandon` nothing is said.
      if end != nil { await sayFarewell() }
      group.cancelAll()
    }
    if end == nil { submitter.handle(.end(.disconnected("abandoned")), on: self) }
  }

  /// The executor ends the call once it has read the last words; a call that ended before could take them with it.
  private func sayFarewell() async {
    await withDeadline(Self.farewell) { [outbound, heardOut] in
      await outbound.emptied()
      for await _ in heardOut {}
    }
  }

  private func read(_ messages: RPCAsyncSequence<Ponos_V1_ExecutorMessage, any Error>) async {
    defer { heardOutContinuation.finish() }
    do {
      for try await message in messages {
        if end == nil {
          submitter.received(try ExecutorMessage(wire: message), on: self)
          await outbound.room()
        }
        // The session is over, however much the peer has to say.
        if Task.isCancelled { return }
      }
      submitter.handle(.end(.disconnected("the peer closed the stream")), on: self)
    } catch let error as StreamWireError {
      submitter.handle(.end(.violation(error.message)), on: self)
    } catch {
      submitter.handle(.end(.disconnected("\(error)")), on: self)
    }
    overContinuation.finish()
  }

  private func beat() async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: tick) } catch { return }
      submitter.handle(.tick, on: self)
    }
  }
}
