import PonosCore

/// EigenLayer's contract for operator sets: who is in which.
package struct AllocationManager: Sendable {
  package let address: EthereumAddress

  package init(address: EthereumAddress) {
    self.address = address
  }

  /// The registrar of `avs`; the AVS's own address when it never set one.
  package func registrar(of avs: EthereumAddress) -> ContractCall<EthereumAddress> {
    var data = CallData("getAVSRegistrar(address)")
    data.append(avs)
    return ContractCall(call(data, "getAVSRegistrar")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let registrar = try reader.address()
      try reader.finish()
      return registrar
    }
  }

  /// Whether `registrant` is in `set`. A registered key says nothing of it.
  package func isMember(_ registrant: EthereumAddress, of set: OperatorSet) -> ContractCall<Bool> {
    var data = CallData("isMemberOfOperatorSet(address,(address,uint32))")
    data.append(registrant)
    data.append(set)
    return ContractCall(call(data, "isMemberOfOperatorSet")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let isMember = try reader.bool()
      try reader.finish()
      return isMember
    }
  }

  /// Everybody in `set`. For people and for warming up; whether one address is in it, `isMember` tells.
  package func members(of set: OperatorSet) -> ContractCall<[EthereumAddress]> {
    var data = CallData("getMembers((address,uint32))")
    data.append(set)
    return ContractCall(call(data, "getMembers")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      try reader.begin(try reader.offset(from: 0))
      var members: [EthereumAddress] = []
      for _ in 0..<(try reader.length(limit: 10_000)) { members.append(try reader.address()) }
      try reader.finish()
      return members
    }
  }

  private func call(_ data: CallData, _ function: String) -> ViewCall {
    ViewCall(contract: address, data: data.bytes, name: "AllocationManager.\(function)")
  }
}
