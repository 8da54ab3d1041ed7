import Foundation
import GRPCCore
import GRPCProtobuf
import PonosAPI
import PonosCore
import SwiftProtobuf
import Synchronization

/// `PerformerService` of a ``ScriptedPerformer``.
struct ScriptedTaskHandler: Eigenlayer_Hourglass_V1_Performer_PerformerService.SimpleServiceProtocol {
  typealias Request = Eigenlayer_Hourglass_V1_Performer_TaskRequest
  typealias Response = Eigenlayer_Hourglass_V1_Performer_TaskResponse

  let performer: ScriptedPerformer

  func executeTask(request: Request, context: ServerContext) async throws -> Response {
    let count = performer.state.withLock { state in
      state.received.append(String(decoding: request.taskID, as: UTF8.self))
      return state.received.count
    }
    var response = Response.with { $0.taskID = request.taskID }
    switch performer.behaviour(Array(request.payload)) {
    case .answer(let bytes): response.result = Data(bytes)
    case .delay(let time, let bytes):
      try await Task.sleep(for: time)
      response.result = Data(bytes)
    case .hang:
      try await context.cancellation.cancelled
      performer.state.withLock { $0.cancelled += 1 }
      throw CancellationError()
    case .error(let code, let message): throw Self.error(code, message)
    case .retryLater(let milliseconds, let code, let message):
      let error = Self.error(code, message)
      throw GoogleRPCStatus(
        code: error.code, message: message, details: [.retryInfo(delay: .milliseconds(milliseconds))])
    case .once(let code):
      if performer.isFirst(String(decoding: request.taskID, as: UTF8.self)) { throw Self.error(code, "not the first time") }
      response.result = Data("again".utf8)
    case .flood(let bytes):
      FileHandle.standardOutput.write(Data(repeating: UInt8(ascii: "x"), count: bytes))
      response.result = Data("flooded".utf8)
    case .wrongID: response.taskID = Data("0x\(String(repeating: "f", count: 64))".utf8)
    case .emptyID: response.taskID = Data()
    case .oversize(let bytes): response.result = Data(count: bytes)
    case .exit(let status): exit(status)
    case .allocate(let bytes): response.result = Data("\([UInt8](repeating: 1, count: bytes).count)".utf8)
    case .health(let serving): performer.setHealth(serving ? .serving : .notServing)
    case .dice(let time):
      try await Task.sleep(for: time)
      response.result = Data(Hex.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) }).utf8)
    case .count: response.result = Data("\(count)".utf8)
    case .tally: response.result = Data(PerformerTally(of: performer.receivedTaskIDs).text.utf8)
    case .inspect: response.result = Data(Confinement.report().utf8)
    case .environment(let name): response.result = Data((ProcessInfo.processInfo.environment[name] ?? "").utf8)
    }
    performer.state.withLock { $0.finished += 1 }
    return response
  }

  private static func error(_ code: Int, _ message: String) -> RPCError {
    RPCError(code: Status.Code(rawValue: code).flatMap { RPCError.Code($0) } ?? .unknown, message: message)
  }

  func startSync(
    request: Eigenlayer_Hourglass_V1_Performer_StartSyncRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_Performer_StartSyncResponse {
    Eigenlayer_Hourglass_V1_Performer_StartSyncResponse()
  }
}

/// `Health` of a ``ScriptedPerformer``.
struct ScriptedHealthHandler: Grpc_Health_V1_Health.SimpleServiceProtocol {
  let performer: ScriptedPerformer

  func check(
    request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthCheckResponse {
    switch performer.state.withLock({ $0.health }) {
    case .serving: return Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serving }
    case .notServing: return Grpc_Health_V1_HealthCheckResponse.with { $0.status = .notServing }
    case .missing: throw RPCError(code: .unimplemented, message: "no health service here")
    case .hang:
      try await context.cancellation.cancelled
      throw CancellationError()
    }
  }

  func watch(
    request: Grpc_Health_V1_HealthCheckRequest,
    response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    throw RPCError(code: .unimplemented, message: "this performer cannot be watched")
  }
}
