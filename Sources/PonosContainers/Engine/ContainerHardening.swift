import PonosCore
import PonosDocker

/// The one place that decides what a performer's container may do.
///
/// Everything here is deny by default. The engine's own seccomp profile stays in force because no other is named. The user is the
/// image's: without capabilities and privileges to gain, root in the container can do little, and existing images rely on it.
enum ContainerHardening {
  /// A container that runs `image` within the limits of `spec`, in one network, with exactly `environment`.
  static func creation(
    of spec: PerformerSpec, image: ResolvedImage, environment: [String], labels: [String: String], network: String
  ) -> ContainerCreation {
    var container = ContainerCreation(image: image.reference, environment: environment, labels: labels)
    container.hostConfig = hostConfig(limits: spec.limits, volumes: image.volumes, network: network)
    return container
  }

  /// - Parameter volumes: Paths the image declares as volumes.
  static func hostConfig(limits: ResourceLimits, volumes: [String], network: String) -> HostConfig {
    var host = HostConfig()
    host.capDrop = ["ALL"]
    host.securityOptions = ["no-new-privileges"]
    host.privileged = false
    host.readonlyRootfs = true
    host.tmpfs = ["/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=\(limits.tmpfsBytes)"]
    // A volume of the image would be a directory on the host that may grow without limit.
    host.mounts = volumes.filter { $0 != "/tmp" }.map { .tmpfs(at: $0, sizeBytes: limits.tmpfsBytes) }
    host.shmSize = limits.tmpfsBytes
    host.memory = limits.memoryBytes
    // Equal to the memory: no swap on top of it.
    host.memorySwap = limits.memoryBytes
    host.nanoCPUs = Int64((limits.cpus * 1_000_000_000).rounded())
    host.pidsLimit = limits.pids
    host.logConfig = LogConfig(
      type: "json-file", options: ["max-size": "\(limits.logFileBytes)", "max-file": "\(limits.logFiles)"])
    // Restarts are the supervisor's: an engine that restarts on its own would route tasks to an unchecked container, and
    // engines differ in what they do after a crash of their own.
    host.restartPolicy = RestartRule(name: "no")
    // A container that ended stays until its exit code and last words are read.
    host.autoRemove = false
    host.`init` = true
    host.networkMode = network
    host.portBindings = [:]
    return host
  }
}
