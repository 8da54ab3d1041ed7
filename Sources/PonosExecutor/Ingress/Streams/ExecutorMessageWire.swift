import PonosAPI
import PonosCore
import PonosStore
import SwiftProtobuf

extension ExecutorMessage<StreamAnswer> {
  /// Reads the wire message, checking the shape of every field and nothing else.
  package init(wire message: Ponos_V1_ExecutorMessage) throws {
    switch message.body {
    case .hello(let hello): self = .hello(try ExecutorHello(wire: hello))
    case .proof(let proof): self = .proof(signature: Array(proof.signature))
    case .credit(let credit): self = .credit(total: credit.total)
    case .receipt(let receipt): self = .receipt(idText: receipt.taskID)
    case .refusal(let refusal): self = .refusal(StreamRefusal(wire: refusal))
    case .outcome(let outcome): self = try Self.outcome(wire: outcome)
    case .cancellation(let answer):
      self = .cancellation(try StreamWire.id(answer.taskID, field: "cancellation.task_id"), try CancellationResult(answer.result))
    case .standings(let standings): self = .standings(try Self.standings(wire: standings))
    case .heartbeat: self = .heartbeat
    case .goodbye(let goodbye): self = .goodbye(Goodbye(wire: goodbye))
    case nil: throw StreamWireError(message: "a message has no body, or one this version does not know")
    }
  }

  package var wire: Ponos_V1_ExecutorMessage {
    .with { message in
      switch self {
      case .hello(let hello): message.hello = hello.wire
      case .proof(let signature): message.proof.signature = .init(signature)
      case .credit(let total): message.credit.total = total
      case .receipt(let idText): message.receipt.taskID = idText
      case .refusal(let refusal): message.refusal = refusal.wire
      case .outcome(let id, let answer): message.outcome = Self.wire(id, answer)
      case .cancellation(let id, let result):
        message.cancellation.taskID = id.description
        message.cancellation.result = result.wire
      case .standings(let standings):
        message.standings.standings = standings.map { id, standing in
          .with { entry in
            entry.taskID = id.description
            entry.state = standing.wire
          }
        }
      case .heartbeat: message.heartbeat = .init()
      case .goodbye(let goodbye): message.goodbye = goodbye.wire
      }
    }
  }

  private static func outcome(wire message: Ponos_V1_Outcome) throws -> Self {
    let id = try StreamWire.id(message.taskID, field: "outcome.task_id")
    switch message.end {
    case .result(let result): return .outcome(id, .result(result))
    case .failure(let failure): return .outcome(id, .failure(StoredFailure(code: failure.code, message: failure.message)))
    case nil: throw StreamWireError(message: "outcome has neither result nor failure")
    }
  }

  private static func wire(_ id: TaskID, _ answer: StreamAnswer) -> Ponos_V1_Outcome {
    .with { message in
      message.taskID = id.description
      switch answer {
      case .result(let result): message.result = result
      case .failure(let failure):
        message.failure.code = failure.code
        message.failure.message = failure.message
      }
    }
  }

  private static func standings(wire message: Ponos_V1_Standings) throws -> [TaskID: TaskStanding] {
    try StreamWire.check(message.standings.count, field: "standings")
    return try message.standings.reduce(into: [:]) { standings, entry in
      standings[try StreamWire.id(entry.taskID, field: "standings.task_id")] = try TaskStanding(entry.state)
    }
  }
}

extension ExecutorHello {
  fileprivate init(wire hello: Ponos_V1_ExecutorHello) throws {
    let isEmpty = hello.avsAddress.isEmpty && hello.aggregatorAddress.isEmpty
    self.init(
      version: hello.version, challenge: try StreamWire.nonce(hello.challenge, field: "hello.challenge"),
      executor: try StreamWire.address(hello.executorAddress, field: "hello.executor_address"),
      session: try StreamWire.nonce(hello.sessionID, field: "hello.session_id"), heartbeat: Int64(hello.heartbeatMs),
      wanted: isEmpty
        ? nil
        : TaskOwner(
          aggregator: try StreamWire.address(hello.aggregatorAddress, field: "hello.aggregator_address"),
          avs: try StreamWire.address(hello.avsAddress, field: "hello.avs_address")))
  }

  fileprivate var wire: Ponos_V1_ExecutorHello {
    .with { message in
      message.version = version
      message.challenge = .init(challenge.bytes)
      message.executorAddress = executor.description
      message.sessionID = .init(session.bytes)
      message.heartbeatMs = UInt32(clamping: heartbeat)
      message.avsAddress = wanted?.avs.description ?? ""
      message.aggregatorAddress = wanted?.aggregator.description ?? ""
    }
  }
}

extension StreamRefusal {
  fileprivate init(wire message: Ponos_V1_Refusal) {
    self.init(
      idText: message.taskID, code: message.code, message: message.message,
      retryAfter: message.retryAfterMs == 0 ? nil : Int64(message.retryAfterMs))
  }

  fileprivate var wire: Ponos_V1_Refusal {
    .with { message in
      message.taskID = idText
      message.code = code
      message.message = self.message
      message.retryAfterMs = UInt32(clamping: retryAfter ?? 0)
    }
  }
}

extension CancellationResult {
  fileprivate init(_ wire: Ponos_V1_CancellationAnswer.Result) throws {
    switch wire {
    case .cancelled: self = .cancelled
    case .tooLate: self = .tooLate
    case .unknown: self = .unknown
    case .unspecified, .UNRECOGNIZED: throw StreamWireError(message: "cancellation.result is not known to this version")
    }
  }

  fileprivate var wire: Ponos_V1_CancellationAnswer.Result {
    switch self {
    case .cancelled: .cancelled
    case .tooLate: .tooLate
    case .unknown: .unknown
    }
  }
}

extension TaskStanding {
  fileprivate init(_ wire: Ponos_V1_Standing.State) throws {
    switch wire {
    case .unknown: self = .unknown
    case .unfinished: self = .unfinished
    case .finished: self = .finished
    case .unspecified, .UNRECOGNIZED: throw StreamWireError(message: "standings.state is not known to this version")
    }
  }

  fileprivate var wire: Ponos_V1_Standing.State {
    switch self {
    case .unknown: .unknown
    case .unfinished: .unfinished
    case .finished: .finished
    }
  }
}
