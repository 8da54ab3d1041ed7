import PonosCore

extension EthereumAddress {
  /// A different address for each call of a test run, so that tests do not meet.
  package static var random: EthereumAddress { EthereumAddress((0..<20).map { _ in UInt8.random(in: 0...255) })! }
}
