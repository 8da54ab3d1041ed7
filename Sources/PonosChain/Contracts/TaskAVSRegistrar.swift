import PonosCore

/// The registrar contract of an AVS, as Hourglass extends it with the AVS's configuration.
package struct TaskAVSRegistrar: Sendable {
  package let address: EthereumAddress

  package init(address: EthereumAddress) {
    self.address = address
  }

  /// The operator sets an AVS works with.
  package struct Configuration: Hashable, Sendable {
    package let aggregatorSet: UInt32
    /// In the contract's order.
    package let executorSets: [UInt32]
  }

  /// The most executor sets of an AVS that are read. EigenLayer's own limits are far below.
  private static let maxSets = 1_024

  package func configuration() -> ContractCall<Configuration> {
    let view = ViewCall(contract: address, data: CallData("getAvsConfig()").bytes, name: "TaskAVSRegistrar.getAvsConfig")
    return ContractCall(view) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let base = try reader.begin(try reader.offset(from: 0))
      let aggregatorSet = try reader.number(UInt32.self)
      try reader.begin(try reader.offset(from: base))
      var executorSets: [UInt32] = []
      for _ in 0..<(try reader.length(limit: Self.maxSets)) { executorSets.append(try reader.number(UInt32.self)) }
      try reader.finish()
      return Configuration(aggregatorSet: aggregatorSet, executorSets: executorSets)
    }
  }
}
