/// Decides which endpoint is asked next for one read, and which answer counts.
///
/// With `needed == 1` the first answer wins: the others are asked one after the other, when one fails or is late. With more, so many
/// are asked at once, and an answer counts when so many gave the same.
package struct Race<Value: Hashable & Sendable>: Sendable {
  package enum Action: Sendable, Equatable {
    /// Ask this endpoint as well.
    case ask(Int)
    case finish(Value)
    /// No answer is left that could count.
    case fail(ChainError)
  }

  private let needed: Int
  private var waiting: [Int]
  private var asked: Set<Int> = []
  private var votes: [Value: [Int]] = [:]
  /// Answers that an endpoint may give wrongly, for example none at all for a state it lacks. They count when no other is to be had.
  private var doubtful: [Int: Value] = [:]
  private var errors: [ChainError] = []

  /// - Parameter candidates: In the order in which to ask.
  package init(candidates: [Int], needed: Int) {
    waiting = candidates
    self.needed = max(1, needed)
  }

  /// Endpoints that were asked and have not answered.
  package var outstanding: Set<Int> { asked }

  /// Whether endpoints gave different answers so far, and which did: one list for each answer.
  package var camps: [[Int]] { votes.values.map { $0.sorted() }.sorted { $0[0] < $1[0] } }

  package mutating func start() -> [Action] {
    (0..<needed).compactMap { _ in askNext() } + conclusion()
  }

  /// The ones asked take long.
  package mutating func isLate() -> [Action] {
    [askNext()].compactMap { $0 }
  }

  package mutating func answered(_ endpoint: Int, _ value: Value, isDoubtful: Bool = false) -> [Action] {
    asked.remove(endpoint)
    if isDoubtful {
      doubtful[endpoint] = value
      return [askNext()].compactMap { $0 } + conclusion()
    }
    votes[value, default: []].append(endpoint)
    if let voters = votes[value], voters.count >= needed { return [.finish(value)] }
    // An answer that differs needs another one to decide.
    return (votes.count > 1 ? [askNext()].compactMap { $0 } : []) + conclusion()
  }

  package mutating func failed(_ endpoint: Int, _ error: ChainError) -> [Action] {
    asked.remove(endpoint)
    errors.append(error)
    return [askNext()].compactMap { $0 } + conclusion()
  }

  private mutating func askNext() -> Action? {
    guard !waiting.isEmpty else { return nil }
    let next = waiting.removeFirst()
    asked.insert(next)
    return .ask(next)
  }

  /// What follows when nobody is left to wait for.
  private mutating func conclusion() -> [Action] {
    guard asked.isEmpty, waiting.isEmpty else { return [] }
    for (endpoint, value) in doubtful.sorted(by: { $0.key < $1.key }) {
      votes[value, default: []].append(endpoint)
      if let voters = votes[value], voters.count >= needed { return [.finish(value)] }
    }
    return [.fail(mostTelling)]
  }

  /// The failure that says most about what to do: one that concerns the question before one of an endpoint.
  private var mostTelling: ChainError {
    if votes.count > 1 { return ChainError(.disagreement, endpoint: "the endpoints", call: errors.first?.call ?? "") }
    if !votes.isEmpty {
      return ChainError(
        .tooFewAnswers, endpoint: "the endpoints", call: errors.first?.call ?? "", cause: errors.first?.description)
    }
    return errors.first { $0.code == .statePruned } ?? errors.first { $0.code == .blockUnknown } ?? errors.first
      ?? ChainError(.noEndpoint, endpoint: "every endpoint", call: "")
  }
}
