/// The metric families a registry can hold.
package enum MetricKind: String, Sendable {
  case counter, gauge, histogram
}

/// What is said about a metric besides its figures.
package struct MetricDescription: Sendable, Equatable {
  package var name: String
  package var help: String
  package var kind: MetricKind
  /// Labels of every series; empty for a family whose label names differ from series to series.
  package var labelNames: [String]
}

/// One label of a series.
package struct MetricLabel: Sendable, Hashable, Comparable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  package static func < (left: MetricLabel, right: MetricLabel) -> Bool {
    (left.name, left.value) < (right.name, right.value)
  }
}

/// All series of one metric, with their measurements at one moment.
package struct FamilySnapshot: Sendable, Equatable {
  package struct Series: Sendable, Equatable {
    package var labels: [MetricLabel]
    package var value: SeriesSnapshot
  }

  package var description: MetricDescription
  /// In the order of their labels.
  package var series: [Series]
}
