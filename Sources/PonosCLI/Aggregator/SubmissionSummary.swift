/// The result of a run of submissions.
struct SubmissionSummary: Encodable {
  /// Milliseconds from submission to answer, of answered tasks.
  struct Latency: Encodable {
    var p50: Double
    var p90: Double
    var p99: Double
    var max: Double
  }

  var submitted: Int
  var answered: Int
  var verified: Int
  var failed: Int
  var seconds: Double
  var tasksPerSecond: Double
  var latency: Latency?
  var outcomes: [SubmissionOutcome]

  init(_ outcomes: [SubmissionOutcome], seconds: Double) {
    self.outcomes = outcomes
    self.seconds = seconds
    submitted = outcomes.count
    answered = outcomes.count { $0.output != nil }
    verified = outcomes.count(where: \.isVerified)
    failed = outcomes.count { $0.error != nil }
    tasksPerSecond = seconds > 0 ? Double(answered) / seconds : 0
    let sorted = outcomes.filter { $0.output != nil }.map(\.milliseconds).sorted()
    guard let last = sorted.last else { return }
    func percentile(_ share: Double) -> Double { sorted[Int((Double(sorted.count - 1) * share).rounded())] }
    latency = Latency(p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: last)
  }
}
