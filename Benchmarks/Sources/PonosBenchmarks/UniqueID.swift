import Synchronization

/// Ids as long and as evenly spread as hashes, made without a system call.
enum UniqueID {
  private static let position = Atomic<UInt64>(.random(in: .min ... .max))

  /// 32 bytes never given out before by this process.
  static func next() -> [UInt8] {
    var state = position.wrappingAdd(4 &* increment, ordering: .relaxed).oldValue
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for _ in 0..<4 {
      state &+= increment
      withUnsafeBytes(of: mix(state)) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mix(_ state: UInt64) -> UInt64 {
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
