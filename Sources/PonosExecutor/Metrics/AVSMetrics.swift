import PonosTelemetry

/// The metrics of one AVS that have no label but `avs`, looked up once, so that counting takes no lock.
struct AVSMetrics: Sendable {
  /// Value of the label `avs`.
  let label: String
  let received: PrometheusCounter
  let accepted: PrometheusCounter
  let remembered: PrometheusCounter
  let executed: PrometheusCounter
  let retried: PrometheusCounter
  let executionSeconds: PrometheusHistogram
  let answerSeconds: PrometheusHistogram
  let queueDepth: PrometheusGauge
  let queueSeconds: PrometheusHistogram
  let containersRunning: PrometheusGauge
  let restarts: PrometheusCounter
  let outOfMemory: PrometheusCounter
  let deploymentSeconds: PrometheusHistogram
  let imagePullSeconds: PrometheusHistogram
  let containerCPU: PrometheusCounter
  let containerMemory: PrometheusGauge
  let slots: PrometheusGauge
  let slotsInUse: PrometheusGauge
  let healthFailures: PrometheusCounter
  let hangs: PrometheusCounter

  init(_ registry: PrometheusRegistry, label: String) {
    let avs = AVSSeries(registry: registry, label: label)
    self.label = label
    received = avs.counter("ponos_tasks_received_total", "Submissions that could be decoded.")
    accepted = avs.counter("ponos_tasks_accepted_total", "Tasks written down and accepted.")
    remembered = avs.counter("ponos_task_memory_answers_total", "Submissions of finished tasks that were answered from memory.")
    executed = avs.counter("ponos_tasks_executed_total", "Runs at a performer that brought a reply.")
    retried = avs.counter("ponos_task_retries_total", "Runs that did not finish and were repeated.")
    executionSeconds = avs.histogram("ponos_task_execution_seconds", "Time a performer took for a task.")
    answerSeconds = avs.histogram("ponos_task_answer_seconds", "Time from the acceptance of a task to its signed result.")
    queueDepth = avs.gauge("ponos_queue_depth", "Tasks that wait for a performer.")
    queueSeconds = avs.histogram("ponos_queue_wait_seconds", "Time a task waited for a performer.")
    containersRunning = avs.gauge("ponos_containers_running", "Performer containers that run.")
    restarts = avs.counter("ponos_container_restarts_total", "Containers made again after a crash or bad health.")
    outOfMemory = avs.counter(
      "ponos_container_out_of_memory_total", "Processes killed for exceeding the container's memory limit.")
    deploymentSeconds = avs.histogram("ponos_deployment_seconds", "Time from the request of a deployment until it served.")
    imagePullSeconds = avs.histogram("ponos_image_pull_seconds", "Time to bring an image from its registry.")
    containerCPU = avs.counter("ponos_container_cpu_seconds_total", "Processor time used by the performer's container.")
    containerMemory = avs.gauge("ponos_container_memory_bytes", "Memory used by the performer's container.")
    slots = avs.gauge("ponos_performer_slots", "Tasks the serving performers can be given at a time.")
    slotsInUse = avs.gauge("ponos_performer_slots_in_use", "Tasks performers have now.")
    healthFailures = avs.counter("ponos_health_check_failures_total", "Health probes that did not find the performer serving.")
    hangs = avs.counter("ponos_performer_hangs_total", "Performers replaced because tasks in a row got no answer.")
  }
}

/// Makes the series of one AVS in families that all AVSs share.
private struct AVSSeries {
  let registry: PrometheusRegistry
  let label: String

  func counter(_ name: String, _ help: String) -> PrometheusCounter {
    registry.counter(name, help: help, labels: ["avs"]).with(label)
  }

  func gauge(_ name: String, _ help: String) -> PrometheusGauge {
    registry.gauge(name, help: help, labels: ["avs"]).with(label)
  }

  func histogram(_ name: String, _ help: String) -> PrometheusHistogram {
    registry.histogram(name, help: help, labels: ["avs"]).with(label)
  }
}
