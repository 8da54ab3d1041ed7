import Synchronization

/// A metric: its series by label values.
///
/// There is a limit to the series of one metric, whatever its labels come from: beyond it, new label values are counted
/// together under "other". Look series up once and keep them where they are needed often.
package final class PrometheusFamily<Series: PrometheusSeries>: Sendable {
  /// Series of one metric at the most.
  package static var maxSeries: Int { 1000 }

  package let description: MetricDescription
  private let make: @Sendable () -> Series
  private let series = Mutex<[[MetricLabel]: Series]>([:])

  init(_ description: MetricDescription, make: @escaping @Sendable () -> Series) {
    self.description = description
    self.make = make
  }

  /// The series with these values of the family's labels, in the order of `description.labelNames`.
  package func with(_ values: String...) -> Series {
    precondition(values.count == description.labelNames.count, "\(description.name) has labels \(description.labelNames)")
    return with(labels: zip(description.labelNames, values).map { MetricLabel($0, $1) })
  }

  /// The series with these labels.
  package func with(labels: [MetricLabel]) -> Series {
    series.withLock { series in
      if let known = series[labels] { return known }
      let isFull = series.count >= Self.maxSeries
      let key = isFull ? labels.map { MetricLabel($0.name, "other") } : labels
      if let other = series[key] { return other }
      let new = make()
      series[key] = new
      return new
    }
  }

  /// All series that exist.
  package var all: [Series] { series.withLock { Array($0.values) } }

  package var snapshot: FamilySnapshot {
    let known = series.withLock { $0 }
    return FamilySnapshot(
      description: description,
      series: known.map { FamilySnapshot.Series(labels: $0.key, value: $0.value.snapshot) }
        .sorted { $0.labels.lexicographicallyPrecedes($1.labels) })
  }
}
