import PonosAPI
import PonosCore
import SwiftProtobuf

extension AggregatorMessage {
  /// Reads the wire message, checking the shape of every field and nothing else.
  package init(wire message: Ponos_V1_AggregatorMessage) throws {
    switch message.body {
    case .hello(let hello): self = .hello(try AggregatorHello(wire: hello))
    case .proof(let proof): self = .proof(signature: Array(proof.signature))
    case .submission(let submission): self = .submission(StreamSubmission(wire: submission))
    case .acknowledgement(let acknowledgement):
      self = .acknowledgement(try StreamWire.ids(acknowledgement.taskIds, field: "acknowledgement.task_ids"))
    case .cancellation(let cancellation):
      self = .cancellation(try StreamWire.id(cancellation.taskID, field: "cancellation.task_id"))
    case .reconciliation(let reconciliation):
      self = .reconciliation(try StreamWire.ids(reconciliation.taskIds, field: "reconciliation.task_ids"))
    case .heartbeat: self = .heartbeat
    case .goodbye(let goodbye): self = .goodbye(Goodbye(wire: goodbye))
    case nil: throw StreamWireError(message: "a message has no body, or one this version does not know")
    }
  }

  package var wire: Ponos_V1_AggregatorMessage {
    .with { message in
      switch self {
      case .hello(let hello): message.hello = hello.wire
      case .proof(let signature): message.proof.signature = .init(signature)
      case .submission(let submission): message.submission = submission.wire
      case .acknowledgement(let ids): message.acknowledgement.taskIds = ids.map(\.description)
      case .cancellation(let id): message.cancellation.taskID = id.description
      case .reconciliation(let ids): message.reconciliation.taskIds = ids.map(\.description)
      case .heartbeat: message.heartbeat = .init()
      case .goodbye(let goodbye): message.goodbye = goodbye.wire
      }
    }
  }
}

extension AggregatorHello {
  fileprivate init(wire hello: Ponos_V1_AggregatorHello) throws {
    self.init(
      version: hello.version, challenge: try StreamWire.nonce(hello.challenge, field: "hello.challenge"),
      owner: TaskOwner(
        aggregator: try StreamWire.address(hello.aggregatorAddress, field: "hello.aggregator_address"),
        avs: try StreamWire.address(hello.avsAddress, field: "hello.avs_address")),
      executor: try StreamWire.address(hello.executorAddress, field: "hello.executor_address"),
      operatorSetID: hello.operatorSetID, heartbeat: Int64(hello.heartbeatMs))
  }

  fileprivate var wire: Ponos_V1_AggregatorHello {
    .with { message in
      message.version = version
      message.challenge = .init(challenge.bytes)
      message.aggregatorAddress = owner.aggregator.description
      message.avsAddress = owner.avs.description
      message.executorAddress = executor.description
      message.operatorSetID = operatorSetID
      message.heartbeatMs = UInt32(clamping: heartbeat)
    }
  }
}

extension StreamSubmission {
  fileprivate init(wire message: Ponos_V1_Submission) {
    let task = Result { () throws(Rejection) in
      var task = try TaskSubmission(wire: message.task)
      task.urgency = TaskUrgency(priority: message.priority, deadline: message.deadlineMs == 0 ? nil : message.deadlineMs)
      return task
    }
    // The refusal repeats the text, so one that is no id is cut short.
    self.init(idText: message.task.taskID.cut(toBytes: 80), task: task)
  }

  fileprivate var wire: Ponos_V1_Submission {
    .with { message in
      guard case .success(let task) = self.task else { return message.task.taskID = idText }
      message.task = task.wire
      message.priority = task.urgency.priority
      message.deadlineMs = task.urgency.deadline ?? 0
    }
  }
}
