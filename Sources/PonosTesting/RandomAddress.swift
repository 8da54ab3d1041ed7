import PonosCore

extension EthereumAddress {
  /// A different address for each call of a test run, so that tests do not meet. All of them begin with 0x7e57, by which `scripts/test.sh`
  /// knows what an interrupted run has left in the engine.
  package static var random: EthereumAddress {
    EthereumAddress([0x7e, 0x57] + (0..<18).map { _ in UInt8.random(in: 0...255) })!
  }
}
