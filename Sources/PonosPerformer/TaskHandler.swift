import Foundation
import GRPCCore
import Logging
import PonosAPI
import SwiftProtobuf

/// The edge of `PerformerService`: runs the author's code for one call, and turns its errors into status codes.
struct TaskHandler: Eigenlayer_Hourglass_V1_Performer_PerformerService.SimpleServiceProtocol {
  let performer: any Performer
  let slots: TaskSlots
  let log: Logger

  func executeTask(
    request: Eigenlayer_Hourglass_V1_Performer_TaskRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_Performer_TaskResponse {
    guard slots.take() else {
      throw RPCError(code: .unavailable, message: "all task slots are taken: try again")
    }
    defer { slots.giveBack() }
    let id = String(decoding: request.taskID, as: UTF8.self)
    var log = log
    log[metadataKey: "task"] = "\(id)"
    let result = try await run(PerformerTask(id: id, payload: request.payload, log: log), context: context)
    return Eigenlayer_Hourglass_V1_Performer_TaskResponse.with { response in
      response.taskID = request.taskID
      response.result = Data(result)
    }
  }

  /// Performers of this kind have nothing to catch up with; the answer says so.
  func startSync(
    request: Eigenlayer_Hourglass_V1_Performer_StartSyncRequest, context: ServerContext
  ) async throws -> Eigenlayer_Hourglass_V1_Performer_StartSyncResponse {
    Eigenlayer_Hourglass_V1_Performer_StartSyncResponse()
  }

  private func run(_ task: PerformerTask, context: ServerContext) async throws(RPCError) -> [UInt8] {
    let started = ContinuousClock.now
    do {
      let result = try await untilCallerLeaves(context) { try await perform(task) }
      task.log.debug("task done", metadata: ["bytes": "\(result.count)", "ms": "\(milliseconds(since: started))"])
      return result
    } catch let error as RPCError {
      task.log.warning(
        "task failed",
        metadata: ["code": "\(error.code)", "reason": "\(error.message)", "ms": "\(milliseconds(since: started))"])
      throw error
    } catch {
      // The caller is told nothing of it: text of unknown origin could carry anything.
      task.log.error("task failed", metadata: ["reason": "\(error)", "ms": "\(milliseconds(since: started))"])
      throw RPCError(code: .unknown, message: "the performer failed; its log has the cause")
    }
  }

  private func perform(_ task: PerformerTask) async throws -> [UInt8] {
    do {
      try await performer.validate(task)
    } catch let error as PerformerError {
      throw status(of: error, permanent: .invalidArgument)
    }
    let result: [UInt8]
    do {
      result = try await performer.handle(task)
    } catch let error as PerformerError {
      throw status(of: error, permanent: .failedPrecondition)
    }
    guard result.count <= PerformerServer.maxResultBytes else {
      throw RPCError(
        code: .failedPrecondition,
        message: "the result has \(result.count) bytes: at most \(PerformerServer.maxResultBytes) can be delivered")
    }
    return result
  }

  /// Executors try again after UNAVAILABLE, and not after the codes of permanent errors.
  private func status(of error: PerformerError, permanent: RPCError.Code) -> RPCError {
    RPCError(code: error.kind == .retryable ? .unavailable : permanent, message: error.message)
  }

  /// Cancels `work` when the caller gives up or runs out of time; not when our own shutdown is what ends the connection.
  private func untilCallerLeaves(
    _ context: ServerContext, _ work: @escaping @Sendable () async throws -> [UInt8]
  ) async throws -> [UInt8] {
    try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
      group.addTask { try await work() }
      group.addTask { [slots] in
        try await context.cancellation.cancelled
        if slots.isDraining { return nil }
        throw RPCError(code: .cancelled, message: "the caller gave up")
      }
      defer { group.cancelAll() }
      while let finished = try await group.next() {
        if let result = finished { return result }
      }
      throw CancellationError()
    }
  }

  private func milliseconds(since start: ContinuousClock.Instant) -> Int {
    Int((ContinuousClock.now - start) / .milliseconds(1))
  }
}
