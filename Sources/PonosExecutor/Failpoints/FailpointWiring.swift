import GRPCCore
import PonosContainers
import PonosCore
import PonosStore
import PonosSystem
import ServiceLifecycle

/// How the composition root puts failpoints between the parts, without the parts knowing of them.
extension Failpoints {
  /// `store` itself, unless armed.
  func watching(_ store: any ExecutorStore) -> any ExecutorStore {
    isArmed ? FailpointStore(store, self) : store
  }

  /// `pipeline` itself, unless armed.
  func watching(_ pipeline: TaskPipeline) -> TaskPipeline {
    guard isArmed else { return pipeline }
    var watched = pipeline
    watched.begin = { task throws(TaskFailure) in
      pass(.runAssigned)
      try pipeline.begin(task)
    }
    watched.execute = { task throws(TaskFailure) in
      let reply = try await pipeline.execute(task)
      pass(.runReplied)
      return reply
    }
    watched.collect = { task, reply throws(TaskFailure) in
      let result = try pipeline.collect(task, reply)
      pass(.runCollected)
      return result
    }
    watched.release = { task, outcome in
      pipeline.release(task, outcome)
      pass(.runReleased)
    }
    watched.sign = { result throws(TaskFailure) in
      let signed = try await pipeline.sign(result)
      pass(.runSigned)
      return signed
    }
    watched.deliver = { task, result throws(TaskFailure) in
      try await pipeline.deliver(task, result)
      pass(.runDelivered)
    }
    watched.recover = { task, failure in
      pass(.runFailed)
      await pipeline.recover(task, failure)
      pass(.runRecovered)
    }
    watched.end = { task, failure in
      pass(.runFailed)
      await pipeline.end(task, failure)
      pass(.runRecovered)
    }
    return watched
  }

  /// What watches gRPC calls; nothing unless armed.
  var interceptors: [any ServerInterceptor] {
    isArmed ? [FailpointInterceptor(failpoints: self)] : []
  }

  /// `services` themselves, unless armed.
  ///
  /// - Parameter services: In start order. They stop in reverse, each after the one behind it.
  func watching(_ services: [any Service]) -> [any Service] {
    guard isArmed else { return services }
    var watched: [any Service] = []
    var hasPort = false
    for service in services {
      switch service {
      case is TaskIntakeService: watched.append(FailpointService(failpoints: self, point: .stopIntake))
      case is GRPCListenerService where !hasPort:
        hasPort = true
        watched.append(FailpointService(failpoints: self, point: .stopPorts))
      case is TaskService: watched.append(FailpointService(failpoints: self, point: .stopTasks))
      case is PerformerService: watched.append(FailpointService(failpoints: self, point: .stopPerformers))
      default: break
      }
      watched.append(service)
    }
    return watched
  }
}
