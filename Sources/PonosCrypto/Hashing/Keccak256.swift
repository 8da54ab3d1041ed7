import PonosCore

/// Keccak-256 as Ethereum uses it: rate 136 bytes, padding byte 0x01 (SHA3-256 differs in that byte).
///
/// Hand-written because no library on the platform offers it; every other primitive of the project comes from one.
/// `hash` serves a message in one piece, `update` and `finalize` one that comes in parts.
package struct Keccak256 {
  /// Bytes taken in between two permutations.
  private static let rate = 136
  private var state = KeccakPermutation.State(repeating: 0)
  /// Bytes of the current block taken in so far; below `rate` between calls.
  private var position = 0

  package init() {}

  /// The hash of `bytes`.
  package static func hash(_ bytes: [UInt8]) -> Digest32 {
    var hash = Keccak256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  /// The hash of `bytes`.
  package static func hash(_ bytes: some Sequence<UInt8>) -> Digest32 {
    var hash = Keccak256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// Takes in the next bytes of the message.
  package mutating func update(_ bytes: some Sequence<UInt8>) {
    let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
    if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
  }

  /// Takes in the next bytes of the message.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      if position & 7 == 0, bytes.count - offset >= 8 {
        let lane = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        state[position >> 3] ^= UInt64(littleEndian: lane)
        position += 8
        offset += 8
      } else {
        absorb(bytes[offset])
        offset += 1
      }
      if position == Self.rate {
        KeccakPermutation.apply(to: &state)
        position = 0
      }
    }
  }

  /// The hash of everything taken in.
  package consuming func finalize() -> Digest32 {
    absorb(0x01)
    state[Self.rate / 8 - 1] ^= 1 << 63
    KeccakPermutation.apply(to: &state)
    let bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      for lane in 0..<4 {
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: state[lane].littleEndian, toByteOffset: lane * 8, as: UInt64.self)
      }
      count = 32
    }
    return Digest32(unchecked: bytes)
  }

  private mutating func absorb(_ byte: UInt8) {
    state[position >> 3] ^= UInt64(byte) << UInt64(8 * (position & 7))
    position += 1
  }
}
