/// Something a test waited for did not happen.
struct DidNotHappen: Error, CustomStringConvertible {
  let description: String
}

/// Returns what `look` finds as soon as it finds something; throws `DidNotHappen` after `limit`.
///
/// - Parameter what: Completes "waited for …" in the error.
func wait<Found>(
  for what: String, within limit: Duration = .seconds(30), every interval: Duration = .milliseconds(25),
  _ look: () async throws -> Found?
) async throws -> Found {
  let start = ContinuousClock.now
  while true {
    if let found = try await look() { return found }
    guard ContinuousClock.now - start < limit else {
      throw DidNotHappen(description: "waited \(limit) in vain for \(what)")
    }
    try await Task.sleep(for: interval)
  }
}

/// As `wait`, for a condition.
func wait(
  until what: String, within limit: Duration = .seconds(30), every interval: Duration = .milliseconds(25),
  _ condition: () async throws -> Bool
) async throws {
  _ = try await wait(for: what, within: limit, every: interval) { try await condition() ? true : nil }
}
