import PonosCore

/// A call of a view function: where it goes, its input, and how it is named to people.
package struct ViewCall: Hashable, Sendable {
  package let contract: EthereumAddress
  /// Selector and arguments.
  package let data: [UInt8]
  /// Contract and function, for example `KeyRegistrar.getECDSAAddress`.
  package let name: String
  /// Whether the function can have given these bytes.
  let accepts: @Sendable ([UInt8]) -> Bool

  package init(
    contract: EthereumAddress, data: [UInt8], name: String, accepts: @escaping @Sendable ([UInt8]) -> Bool = { _ in true }
  ) {
    self.contract = contract
    self.data = data
    self.name = name
    self.accepts = accepts
  }

  package static func == (left: ViewCall, right: ViewCall) -> Bool {
    left.contract == right.contract && left.data == right.data
  }

  // The input nearly always tells calls apart, so the rest is left to `==`.
  package func hash(into hasher: inout Hasher) {
    data.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

/// How a call ended on the chain. Both are answers: a provider that gives none is a `ChainError`.
package enum CallOutcome: Hashable, Sendable {
  case returned([UInt8])
  /// The contract refused. nil when the node does not say with which data, which then proves no particular reason.
  case reverted([UInt8]?)
}

/// A call of a view function with the type of its answer.
package struct ContractCall<Answer: Sendable>: Sendable {
  package let view: ViewCall
  private let read: @Sendable ([UInt8]) throws(ABIError) -> Answer
  /// The answer that a revert with this data stands for; nil for a revert that is no answer.
  private let revertAnswer: @Sendable ([UInt8]) -> Answer?

  package init(
    _ view: ViewCall, revertAnswer: @escaping @Sendable ([UInt8]) -> Answer? = { _ in nil },
    read: @escaping @Sendable ([UInt8]) throws(ABIError) -> Answer
  ) {
    self.view = ViewCall(contract: view.contract, data: view.data, name: view.name) { bytes in
      do throws(ABIError) { _ = try read(bytes) } catch { return false }
      return true
    }
    self.read = read
    self.revertAnswer = revertAnswer
  }

  /// What `outcome` says.
  package func answer(_ outcome: CallOutcome) throws(ContractError) -> Answer {
    switch outcome {
    case .returned(let bytes):
      do throws(ABIError) { return try read(bytes) } catch { throw ContractError(call: view, problem: .answer(error)) }
    case .reverted(let data):
      if let data, let answer = revertAnswer(data) { return answer }
      throw ContractError(call: view, problem: .reverted(data))
    }
  }
}

/// A contract answered something that its interface does not have: another contract is at that address, or none.
package struct ContractError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Problem: Hashable, Sendable {
    case answer(ABIError)
    case reverted([UInt8]?)
  }

  package let call: ViewCall
  package let problem: Problem

  /// Whether there is no contract at the address.
  package var isMissingContract: Bool { problem == .answer(.empty) }

  package var description: String {
    let what =
      switch problem {
      case .answer(let error): error.description
      case .reverted(let data?) where !data.isEmpty: "it reverted with \(Hex.encodePrefixed(data.prefix(68)))"
      case .reverted: "it reverted without a reason"
      }
    return "\(call.name) at \(call.contract): \(what)"
  }
}
