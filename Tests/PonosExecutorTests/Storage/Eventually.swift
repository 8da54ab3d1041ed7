import Testing

/// Waits until `condition` holds; records an issue when that takes longer than ten seconds.
func eventually(
  _ condition: @Sendable () async -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async {
  let deadline = ContinuousClock.now + .seconds(10)
  while await !condition() {
    if ContinuousClock.now > deadline {
      Issue.record("did not happen within ten seconds", sourceLocation: sourceLocation)
      return
    }
    await Task.yield()
  }
}
