import Crypto
import PonosCore
import PonosCrypto

/// Keccak-256, next to SHA3-256 of swift-crypto: the same permutation and rate in a tuned library, only the padding byte differs.
enum KeccakBenchmarks {
  static func comparisons() -> [Comparison] {
    [100, 1024].map { count in
      // Each hash goes into the next message, so that no call can be left out or moved.
      var floorMessage = [UInt8](repeating: 0x5a, count: count)
      var message = floorMessage
      return Comparison(
        group: "crypto", title: "Keccak-256 of \(count) bytes", figure: .cpu,
        contenders: [
          .computing("SHA3-256 of swift-crypto", batch: 256) {
            let digest = SHA3_256.hash(data: floorMessage)
            digest.withUnsafeBytes { floorMessage[0] = $0[0] }
          },
          .computing("Keccak256.hash", batch: 256) {
            message[0] = Keccak256.hash(message).bytes[0]
          },
        ])
    }
  }
}
