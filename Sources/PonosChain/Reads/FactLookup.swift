/// What a decision asks the known facts, and collects what is missing.
///
/// A decision is a function of this: it reads the answers it needs and returns a value, or nil when one of them is not known. It is then
/// run again, once the missing ones have been read, all in one request.
package struct FactLookup {
  private let known: (ViewCall) -> CallOutcome?
  /// Calls that were asked for and not known.
  private(set) var missing: [ViewCall] = []

  package init(known: @escaping (ViewCall) -> CallOutcome?) {
    self.known = known
  }

  /// The answer to `call`; nil when it has to be read first.
  package mutating func answer<Answer>(_ call: ContractCall<Answer>) throws(ContractError) -> Answer? {
    guard let outcome = known(call.view) else {
      missing.append(call.view)
      return nil
    }
    return try call.answer(outcome)
  }
}
