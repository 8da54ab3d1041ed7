import GRPCCore
import GRPCProtobuf
import PonosAPI
import PonosCore
import PonosTransport
import SwiftProtobuf
import Synchronization

/// A connection to a performer that speaks the Hourglass performer protocol over gRPC.
package final class GRPCPerformerConnection: PerformerConnection {
  private let client: GRPCClient<ClientTransportInUse>
  /// Keeps the client connected; ends with `close`, which the owner of the connection has to call.
  private let connecting: Task<Void, any Error>
  private let isClosed = Atomic(false)

  /// The largest output with its task id and framing; a longer reply ends the call. A hostile performer can make us hold this
  /// much for each task it is given.
  private static let maxReplyBytes = ResponseChecks.maxOutputBytes + (1 << 10)

  /// A performer may end a call this much earlier than we do, by its own clock of the call.
  private static let deadlineSlack = Duration.milliseconds(100)

  /// Enough for 1,024 tasks and a probe at once where a performer takes 100 calls on a connection. A performer that names no
  /// limit is taken to have that one.
  private static let maxConnections = 12

  package init(_ endpoint: PerformerEndpoint) throws {
    var settings = ClientTransportSettings(host: endpoint.host, port: endpoint.port)
    settings.maxConnections = Self.maxConnections
    let transport = try Transports.client(settings)
    let client = GRPCClient(transport: transport)
    self.client = client
    connecting = Task { try await client.runConnections() }
  }

  package func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    let request = Eigenlayer_Hourglass_V1_Performer_TaskRequest.with { message in
      message.taskID = .init(id.description.utf8)
      message.payload = .init(payload)
    }
    var options = CallOptions.defaults
    options.waitForReady = false
    options.maxResponseMessageBytes = Self.maxReplyBytes
    let start = ContinuousClock.now
    do {
      let stub = Eigenlayer_Hourglass_V1_Performer_PerformerService.Client(wrapping: client)
      let reply = try await CallDeadline.after(timeout) { try await stub.executeTask(request, options: options) }
      return PerformerReply(echoedID: Array(reply.taskID), output: Array(reply.result))
    } catch is CancellationError {
      throw .cancelled
    } catch {
      // What a client that closes says of a call is no answer of the performer's.
      if isClosed.load(ordering: .relaxed), !Task.isCancelled { throw .unreachable("its connection was closed") }
      guard let error = error as? RPCError else { throw .unreachable("\(error)") }
      throw Self.classify(error, isTimeOver: ContinuousClock.now - start >= timeout - Self.deadlineSlack)
    }
  }

  package var probe: any Probe { GRPCHealthProbe(client: client) }

  package func close() async {
    isClosed.store(true, ordering: .relaxed)
    client.beginGracefulShutdown()
    connecting.cancel()
    _ = await connecting.result
  }

  /// What a call that failed says of its task.
  ///
  /// - Parameter isTimeOver: Whether the time the call was given has passed.
  static func classify(_ error: RPCError, isTimeOver: Bool) -> PerformerCallError {
    let pause = retryInfo(of: error)?.delay
    switch error.code {
    case _ where Transports.isOversizedMessage(error):
      return .replyTooLarge
    case _ where Transports.isOverload(error):
      return .unreachable(error.message)
    case .unavailable where pause == nil:
      // The performer may have said so, or the transport on behalf of a connection that broke: both mean another run.
      return .unreachable(error.message)
    // Before that it is the performer's own word, on a deadline of its own: an answer, and no silence.
    case .deadlineExceeded where isTimeOver && pause == nil:
      return .timedOut
    case .cancelled:
      return Task.isCancelled ? .cancelled : .unreachable("the performer broke the call off: \(error.message)")
    case let code where PerformerStatus.asksAgain(grpcCode: code.rawValue, hasRetryInfo: pause != nil):
      return .answeredBusy("status \(code.rawValue): \(error.message)", retryAfter: pause.flatMap { $0 > .zero ? $0 : nil })
    default:
      return .answeredError(code: error.code.rawValue, message: error.message)
    }
  }

  /// `google.rpc.RetryInfo` among the details of the status; nil without one, and for details that cannot be read.
  private static func retryInfo(of error: RPCError) -> ErrorDetails.RetryInfo? {
    guard let status = try? error.unpackGoogleRPCStatus() else { return nil }
    return status.details.lazy.compactMap(\.retryInfo).first
  }
}
