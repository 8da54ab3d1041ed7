import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosTransport

/// The gRPC listeners the configuration asks for: one for both services, or one for each.
struct GRPCPorts {
  /// In start order: management before tasks.
  let listeners: [GRPCListenerService]

  /// - Parameters:
  ///   - principals: Judges the callers of management methods. Calls of the task port carry signatures of their own, and pay
  ///     nothing for it.
  ///   - interceptors: Of all calls, the outermost first.
  init(
    config: ExecutorConfig, submit: SubmitTaskHandler, streams: TaskStreamHandler, management: ManagementHandler,
    principals: PrincipalInterceptor, health: HealthPublisher, interceptors: [any ServerInterceptor],
    logger: Logger
  ) {
    let tasks = Eigenlayer_Hourglass_V1_ExecutorService.descriptor
    let taskStreams = Ponos_V1_TaskStreamService.descriptor
    let manage = Eigenlayer_Hourglass_V1_ExecutorManagementService.descriptor
    let pipeline: [ConditionalInterceptor<any ServerInterceptor>] =
      interceptors.map { .apply($0, to: .all) } + [.apply(principals, to: .services([manage]))]
    // One for all listeners: what strangers can make the process hold does not grow with the number of ports.
    let quota = ResourceQuota(ResourceQuota.Limits())
    func listener(
      _ name: String, port: Int, _ services: [any RegistrableRPCService], _ descriptors: [ServiceDescriptor]
    ) -> GRPCListenerService {
      var settings = ServerTransportSettings(host: config.listenAddress, port: port)
      settings.quota = quota
      settings.methodLimits[manage.fullyQualifiedService] = .small
      return GRPCListenerService(
        name: name, transport: Transports.server(settings),
        services: services + [HealthHandler(services: descriptors, alwaysServing: [manage], publisher: health)],
        interceptors: pipeline, logger: logger)
    }
    if config.managementPort == config.taskPort {
      listeners = [
        listener("tasks and management", port: config.taskPort, [management, submit, streams], [manage, tasks, taskStreams])
      ]
    } else {
      listeners = [
        listener("management", port: config.managementPort, [management], [manage]),
        listener("tasks", port: config.taskPort, [submit, streams], [tasks, taskStreams]),
      ]
    }
  }
}
