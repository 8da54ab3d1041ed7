import Logging
import PonosCore
import PonosDocker
import PonosTelemetry
import ServiceLifecycle

/// Asks the engine at intervals what the containers of performers use, and shows it as metrics.
package struct ContainerUsageSampler: Service {
  /// A container of a performer.
  package struct Container: Sendable, Equatable {
    package let avs: EthereumAddress
    package let id: String

    package init(avs: EthereumAddress, id: String) {
      self.avs = avs
      self.id = id
    }
  }

  /// The containers of performers that run.
  private let running: @Sendable () -> [Container]
  /// What a container uses; see `DockerClient.usage(ofContainer:)`.
  private let usage: @Sendable (_ containerID: String) async throws(DockerError) -> ContainerUsage
  /// Takes what a round found.
  private let observe: @Sendable ([ContainerUsageObservation]) -> Void
  private let logger: Logger
  /// Between two rounds. Some engines take more than a second for each container.
  private let interval: Duration

  /// - Parameters:
  ///   - running: The containers of performers that run.
  ///   - usage: What a container uses; see `DockerClient.usage(ofContainer:)`.
  ///   - observe: Takes what a round found.
  package init(
    running: @escaping @Sendable () -> [Container],
    usage: @escaping @Sendable (_ containerID: String) async throws(DockerError) -> ContainerUsage,
    observe: @escaping @Sendable ([ContainerUsageObservation]) -> Void, interval: Duration = .seconds(10), logger: Logger
  ) {
    self.running = running
    self.usage = usage
    self.observe = observe
    self.interval = interval
    self.logger = logger
  }

  /// Samples at once and then every interval, until shutdown.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var meter = ContainerCPUMeter()
      while !Task.isCancelled {
        observe(await sample(&meter))
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }

  private func sample(_ meter: inout ContainerCPUMeter) async -> [ContainerUsageObservation] {
    let running = running()
    meter.forget(allBut: Set(running.map(\.id)))
    var observations: [ContainerUsageObservation] = []
    for container in running {
      do throws(DockerError) {
        let usage = try await usage(container.id)
        // What an engine says of a container that has just ended.
        guard usage.memoryLimitBytes > 0 else { continue }
        observations.append(
          ContainerUsageObservation(
            avs: container.avs, cpuSecondsSinceLast: meter.advance(container.id, to: Double(usage.cpuNanoseconds) / 1e9),
            memoryBytes: Int64(clamping: usage.memoryBytes)))
      } catch {
        // Containers come and go, and the supervisors of performers report an engine that is away.
        logger.debug(
          "the usage of a container is unknown",
          metadata: [
            LogKey.avs: "\(container.avs)", LogKey.containerID: "\(container.id.prefix(12))", LogKey.error: "\(error)",
          ])
        if error.isEngineDown { return observations }
      }
    }
    return observations
  }
}

/// Turns the processor times of containers, which begin at zero with each of them, into increments.
struct ContainerCPUMeter {
  private var last: [String: Double] = [:]

  /// Seconds used since the last call for this container; 0 the first time.
  mutating func advance(_ id: String, to seconds: Double) -> Double {
    let previous = last.updateValue(seconds, forKey: id)
    return max(0, seconds - (previous ?? seconds))
  }

  mutating func forget(allBut ids: Set<String>) {
    last = last.filter { ids.contains($0.key) }
  }
}

/// What a container of an AVS used at one moment.
package struct ContainerUsageObservation: Sendable, Equatable {
  package var avs: EthereumAddress
  /// Processor time since the observation before, over all cores.
  package var cpuSecondsSinceLast: Double
  /// Without the part of the page cache that the kernel can take back at once.
  package var memoryBytes: Int64

  package init(avs: EthereumAddress, cpuSecondsSinceLast: Double, memoryBytes: Int64) {
    self.avs = avs
    self.cpuSecondsSinceLast = cpuSecondsSinceLast
    self.memoryBytes = memoryBytes
  }
}
