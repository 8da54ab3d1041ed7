/// How often tasks of an AVS may be submitted; nil for no limit.
package struct SubmissionLimits: Sendable, Equatable {
  /// By all aggregators together.
  package var perAVS: RateLimit?
  /// By each aggregator.
  package var perAggregator: RateLimit?

  package init(perAVS: RateLimit? = nil, perAggregator: RateLimit? = nil) {
    self.perAVS = perAVS
    self.perAggregator = perAggregator
  }
}
