import PonosCore

/// EigenLayer's registry of the keys that operators sign with, one for each operator set.
package struct KeyRegistrar: Sendable {
  package let address: EthereumAddress

  package init(address: EthereumAddress) {
    self.address = address
  }

  /// `CurveType` of the contract.
  private enum CurveType: UInt8 {
    case none, ecdsa, bn254
  }

  /// The selector of `InvalidCurveType()`: the set has another curve, or none.
  private static let invalidCurve: [UInt8] = [0xfd, 0xea, 0x7c, 0x09]

  /// The curve of `set`; nil when the set is unknown or has none yet. Once set it never changes.
  package func curve(of set: OperatorSet) -> ContractCall<SignatureCurve?> {
    var data = CallData("getOperatorSetCurveType((address,uint32))")
    data.append(set)
    return ContractCall(call(data, "getOperatorSetCurveType")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let type = try reader.enumeration(CurveType.self)
      try reader.finish()
      return
        switch type {
        case .none: nil
        case .ecdsa: .ecdsa
        case .bn254: .bn254
        }
    }
  }

  /// Address of the ECDSA key of `registrant` in `set`; nil when it has none there, also when the set has another curve.
  package func ecdsaAddress(of registrant: EthereumAddress, in set: OperatorSet) -> ContractCall<EthereumAddress?> {
    var data = CallData("getECDSAAddress((address,uint32),address)")
    data.append(set)
    data.append(registrant)
    return ContractCall(call(data, "getECDSAAddress"), revertAnswer: Self.noKey) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let address = try reader.address()
      try reader.finish()
      return address.isZero ? nil : address
    }
  }

  /// BN254 key of `registrant` in `set`; nil when it has none there, also when the set has another curve.
  package func bn254Key(of registrant: EthereumAddress, in set: OperatorSet) -> ContractCall<RegisteredBN254Key?> {
    var data = CallData("getBN254Key((address,uint32),address)")
    data.append(set)
    data.append(registrant)
    return ContractCall(call(data, "getBN254Key"), revertAnswer: Self.noKey) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      var words: [ArraySlice<UInt8>] = []
      for _ in 0..<6 { words.append(try reader.word()) }
      try reader.finish()
      return RegisteredBN254Key(words: words)
    }
  }

  /// Whom a signing key is or was registered for, anywhere.
  package func owner(ofSigningKey key: [UInt8], in set: OperatorSet) -> ContractCall<SigningKeyOwner> {
    var data = CallData("getOperatorFromSigningKey((address,uint32),bytes)")
    data.append(set)
    data.append(96 as UInt64)
    data.appendTail(key)
    return ContractCall(call(data, "getOperatorFromSigningKey")) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let owner = SigningKeyOwner(registrant: try reader.address(), isRegisteredInSet: try reader.bool())
      try reader.finish()
      return owner
    }
  }

  private func call(_ data: CallData, _ function: String) -> ViewCall {
    ViewCall(contract: address, data: data.bytes, name: "KeyRegistrar.\(function)")
  }

  private static func noKey<Key>(_ data: [UInt8]) -> Key?? {
    data == invalidCurve ? .some(nil) : nil
  }
}

/// A BN254 public key as the contract stores it: the same point in both groups, unchecked.
package struct RegisteredBN254Key: Hashable, Sendable {
  /// 64 bytes: X, Y.
  package let g1: [UInt8]
  /// 128 bytes: X.A1, X.A0, Y.A1, Y.A0 (imaginary parts first).
  package let g2: [UInt8]

  /// nil for six zero words, by which the contract says that there is no key.
  fileprivate init?(words: [ArraySlice<UInt8>]) {
    guard words.contains(where: { word in word.contains { $0 != 0 } }) else { return nil }
    g1 = words[..<2].flatMap { $0 }
    g2 = words[2...].flatMap { $0 }
  }
}

/// Whom a signing key belongs to.
package struct SigningKeyOwner: Hashable, Sendable {
  /// The zero address for a key that was never registered.
  package let registrant: EthereumAddress
  package let isRegisteredInSet: Bool
}

extension EthereumAddress {
  /// Whether it is the address by which contracts say "none".
  var isZero: Bool { bytes.allSatisfy { $0 == 0 } }
}
