import PonosTelemetry

/// The metrics that have no label but `avs`.
struct AVSMetricFamilies {
  let received: PrometheusFamily<PrometheusCounter>
  let accepted: PrometheusFamily<PrometheusCounter>
  let remembered: PrometheusFamily<PrometheusCounter>
  let executed: PrometheusFamily<PrometheusCounter>
  let retried: PrometheusFamily<PrometheusCounter>
  let executionSeconds: PrometheusFamily<PrometheusHistogram>
  let answerSeconds: PrometheusFamily<PrometheusHistogram>
  let queueDepth: PrometheusFamily<PrometheusGauge>
  let queueSeconds: PrometheusFamily<PrometheusHistogram>
  let containersRunning: PrometheusFamily<PrometheusGauge>
  let restarts: PrometheusFamily<PrometheusCounter>
  let outOfMemory: PrometheusFamily<PrometheusCounter>
  let deploymentSeconds: PrometheusFamily<PrometheusHistogram>
  let imagePullSeconds: PrometheusFamily<PrometheusHistogram>
  let containerCPU: PrometheusFamily<PrometheusCounter>
  let containerMemory: PrometheusFamily<PrometheusGauge>
  let slots: PrometheusFamily<PrometheusGauge>
  let slotsInUse: PrometheusFamily<PrometheusGauge>
  let healthFailures: PrometheusFamily<PrometheusCounter>
  let hangs: PrometheusFamily<PrometheusCounter>

  init(_ registry: PrometheusRegistry) {
    let avs = ["avs"]
    received = registry.counter("ponos_tasks_received_total", help: "Submissions that could be decoded.", labels: avs)
    accepted = registry.counter("ponos_tasks_accepted_total", help: "Tasks written down and accepted.", labels: avs)
    remembered = registry.counter(
      "ponos_task_memory_answers_total", help: "Submissions of finished tasks that were answered from memory.", labels: avs)
    executed = registry.counter("ponos_tasks_executed_total", help: "Runs at a performer that brought a reply.", labels: avs)
    retried = registry.counter("ponos_task_retries_total", help: "Runs that did not finish and were repeated.", labels: avs)
    executionSeconds = registry.histogram(
      "ponos_task_execution_seconds", help: "Time a performer took for a task.", labels: avs)
    answerSeconds = registry.histogram(
      "ponos_task_answer_seconds", help: "Time from the acceptance of a task to its signed result.", labels: avs)
    queueDepth = registry.gauge("ponos_queue_depth", help: "Tasks that wait for a performer.", labels: avs)
    queueSeconds = registry.histogram("ponos_queue_wait_seconds", help: "Time a task waited for a performer.", labels: avs)
    containersRunning = registry.gauge("ponos_containers_running", help: "Performer containers that run.", labels: avs)
    restarts = registry.counter(
      "ponos_container_restarts_total", help: "Containers made again after a crash or bad health.", labels: avs)
    outOfMemory = registry.counter(
      "ponos_container_out_of_memory_total", help: "Processes killed for exceeding the container's memory limit.", labels: avs)
    deploymentSeconds = registry.histogram(
      "ponos_deployment_seconds", help: "Time from the request of a deployment until it served.", labels: avs)
    imagePullSeconds = registry.histogram(
      "ponos_image_pull_seconds", help: "Time to bring an image from its registry.", labels: avs)
    containerCPU = registry.counter(
      "ponos_container_cpu_seconds_total", help: "Processor time used by the performer's container.", labels: avs)
    containerMemory = registry.gauge(
      "ponos_container_memory_bytes", help: "Memory used by the performer's container.", labels: avs)
    slots = registry.gauge("ponos_performer_slots", help: "Tasks the serving performers can be given at a time.", labels: avs)
    slotsInUse = registry.gauge("ponos_performer_slots_in_use", help: "Tasks performers have now.", labels: avs)
    healthFailures = registry.counter(
      "ponos_health_check_failures_total", help: "Health probes that did not find the performer serving.", labels: avs)
    hangs = registry.counter(
      "ponos_performer_hangs_total", help: "Performers replaced because tasks in a row got no answer.", labels: avs)
  }
}

/// The series of one AVS, looked up once, so that counting takes no lock.
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

  init(_ families: AVSMetricFamilies, label: String) {
    self.label = label
    received = families.received.with(label)
    accepted = families.accepted.with(label)
    remembered = families.remembered.with(label)
    executed = families.executed.with(label)
    retried = families.retried.with(label)
    executionSeconds = families.executionSeconds.with(label)
    answerSeconds = families.answerSeconds.with(label)
    queueDepth = families.queueDepth.with(label)
    queueSeconds = families.queueSeconds.with(label)
    containersRunning = families.containersRunning.with(label)
    restarts = families.restarts.with(label)
    outOfMemory = families.outOfMemory.with(label)
    deploymentSeconds = families.deploymentSeconds.with(label)
    imagePullSeconds = families.imagePullSeconds.with(label)
    containerCPU = families.containerCPU.with(label)
    containerMemory = families.containerMemory.with(label)
    slots = families.slots.with(label)
    slotsInUse = families.slotsInUse.with(label)
    healthFailures = families.healthFailures.with(label)
    hangs = families.hangs.with(label)
  }
}
