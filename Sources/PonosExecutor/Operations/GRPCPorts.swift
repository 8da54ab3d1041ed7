import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosTransport

/// The gRPC listeners the configuration asks for: one for both services, or one for each.
struct GRPCPorts {
  /// In start order: management before tasks.
  let listeners: [GRPCListenerService]

  init(
    config: ExecutorConfig, submit: SubmitTaskHandler, streams: TaskStreamHandler, management: ManagementHandler,
    isReady: @escaping @Sendable () -> Bool, interceptors: [any ServerInterceptor], logger: Logger
  ) {
    let tasks = Eigenlayer_Hourglass_V1_ExecutorService.descriptor
    let taskStreams = Ponos_V1_TaskStreamService.descriptor
    let manage = Eigenlayer_Hourglass_V1_ExecutorManagementService.descriptor
    func listener(
      _ name: String, port: Int, _ services: [any RegistrableRPCService], _ descriptors: [ServiceDescriptor]
    ) -> GRPCListenerService {
      GRPCListenerService(
        name: name, transport: Transports.server(ServerTransportSettings(host: config.listenAddress, port: port)),
        services: services + [HealthHandler(services: descriptors, isReady: isReady)], interceptors: interceptors,
        logger: logger)
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
