import CoreMetrics
import PonosTelemetry
import Testing

@Suite struct PrometheusTextTests {
  @Test func familiesAreRenderedInOrderWithHelpAndType() {
    let registry = PrometheusRegistry()
    let gauge = registry.gauge("b_gauge", help: "A gauge.", labels: ["x", "y"])
    gauge.with("2", "1").set(-1.5)
    gauge.with("1", "2").set(3)
    registry.counter("a_total", help: "A counter.").with().increment(by: 7)
    _ = registry.counter("unused_total", help: "No series, no lines.", labels: ["x"])
    #expect(
      registry.text() == """
        # HELP a_total A counter.
        # TYPE a_total counter
        a_total 7
        # HELP b_gauge A gauge.
        # TYPE b_gauge gauge
        b_gauge{x="1",y="2"} 3
        b_gauge{x="2",y="1"} -1.5

        """)
  }

  @Test func histogramsAreCumulativeWithInclusiveBounds() {
    let registry = PrometheusRegistry()
    let histogram = registry.histogram("t_seconds", help: "h", labels: ["x"], bounds: [0.5, 1]).with("v")
    for value in [0.5, 0.25, 1, 3, .nan] { histogram.observe(value) }
    #expect(
      registry.text() == """
        # HELP t_seconds h
        # TYPE t_seconds histogram
        t_seconds_bucket{x="v",le="0.5"} 2
        t_seconds_bucket{x="v",le="1"} 3
        t_seconds_bucket{x="v",le="+Inf"} 4
        t_seconds_sum{x="v"} 4.75
        t_seconds_count{x="v"} 4

        """)
    #expect(histogram.count == 4)
  }

  @Test func valuesAndHelpAreEscaped() {
    let registry = PrometheusRegistry()
    registry.gauge("g", help: "back\\slash \"quoted\"\nsecond line", labels: ["l"]).with("a\"b\\c\nd\r\n").set(.infinity)
    #expect(
      registry.text()
        == "# HELP g back\\\\slash \"quoted\"\\nsecond line\n# TYPE g gauge\ng{l=\"a\\\"b\\\\c\\nd\r\\n\"} +Inf\n")
  }

  @Test(arguments: [
    (0.0, "0"), (-0.5, "-0.5"), (1e15, "1000000000000000"), (1e300, "1e+300"), (.nan, "NaN"), (-.infinity, "-Inf"), (0.1, "0.1"),
  ]) func numbers(value: Double, text: String) {
    let registry = PrometheusRegistry()
    registry.gauge("g", help: "h").with().set(value)
    #expect(registry.text().hasSuffix("g \(text)\n"))
  }

  @Test func aMetricHasABoundedNumberOfSeries() {
    let registry = PrometheusRegistry()
    let family = registry.counter("c_total", help: "h", labels: ["l"])
    let limit = PrometheusFamily<PrometheusCounter>.maxSeries
    for index in 0..<(limit + 50) { family.with("\(index)").increment() }
    let series = family.snapshot.series
    #expect(series.count == limit + 1)
    #expect(series.first { $0.labels == [MetricLabel("l", "other")] }?.value == .value(50))
    #expect(series.first { $0.labels == [MetricLabel("l", "7")] }?.value == .value(1))
  }

  @Test func concurrentIncrementsAreAllCounted() async {
    let counter = PrometheusRegistry().counter("c_total", help: "h").with()
    await withTaskGroup { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { counter.increment(by: 0.5) } } }
    }
    #expect(counter.value == 40_000)
  }

  @Test func whatLibrariesMeasureIsShownByOurRules() {
    let registry = PrometheusRegistry()
    Counter(label: "http.requests", dimensions: [("method", "GET"), ("a-b", "x")], factory: registry).increment(by: 3)
    Timer(label: "9lives", factory: registry).recordNanoseconds(2_000_000_000)
    Meter(label: "depth", factory: registry).set(4)
    Recorder(label: "sizes", dimensions: [], aggregate: true, factory: registry).record(70.0)
    FloatingPointCounter(label: "joules_total", factory: registry).increment(by: 0.25)
    let lines = Set(registry.text().split(separator: "\n").map(String.init))
    #expect(
      lines.isSuperset(of: [
        "http_requests_total{a_b=\"x\",method=\"GET\"} 3", "_9lives_seconds_sum 2", "_9lives_seconds_bucket{le=\"2.5\"} 1",
        "depth 4",
        "sizes_bucket{le=\"120\"} 1", "joules_total 0.25",
      ]))
    // The name is taken by a counter: measured, but not shown.
    Meter(label: "joules_total", factory: registry).set(9)
    #expect(registry.text().contains("joules_total 0.25\n"))
  }
}
