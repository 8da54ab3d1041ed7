import CMclBN256

/// Private scalars of BN254: integers modulo
/// r = 21888242871839275222246405745257275088548364400416034343698204186575808495617, calculated by mcl in memory that is
/// zeroed afterwards.
enum BN254Scalar {
  /// Reduces `bytes`, big-endian and of any length, modulo r; the result is 32 bytes, big-endian.
  static func reduce(_ bytes: UnsafeRawBufferPointer) -> SecretBytes {
    MCL.ready
    return withScratch(3) { scalars in
      let sum = scalars, scaled = scalars + 1, chunk = scalars + 2
      var shift = shiftBy256Bits
      var rest = bytes[...]
      while !rest.isEmpty {
        // The first piece takes the odd bytes, so that all later ones are whole.
        let length = rest.count.isMultiple(of: 32) ? 32 : rest.count % 32
        mclBnFr_mul(scaled, sum, &shift)
        mclBnFr_setBigEndianMod(chunk, UnsafeRawBufferPointer(rebasing: rest.prefix(length)).baseAddress, length)
        mclBnFr_add(sum, scaled, chunk)
        rest = rest.dropFirst(length)
      }
      return serialize(sum)
    }
  }

  /// Reads decimal digits that spell an integer below r; nil for anything else.
  static func decimal(_ digits: UnsafeRawBufferPointer) -> SecretBytes? {
    MCL.ready
    guard (1...77).contains(digits.count), digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return withScratch(1) { scalar in
      guard mclBnFr_setStr(scalar, digits.bindMemory(to: CChar.self).baseAddress, digits.count, 10) == 0 else { return nil }
      return serialize(scalar)
    }
  }

  /// Hands out `scalar` (32 bytes, big-endian, below r) in mcl's form while `body` runs.
  static func withRaw<Result>(_ scalar: SecretBytes, _ body: (UnsafePointer<mclBnFr>) -> Result) -> Result {
    MCL.ready
    return withScratch(1) { raw in
      scalar.withUnsafeBytes { _ = mclBnFr_setBigEndianMod(raw, $0.baseAddress, $0.count) }
      return body(raw)
    }
  }

  /// Random odd numbers of 128 bits, drawn from the system; being odd, none is zero. When `count` is 1 the number is 1, because a single
  /// signature has no others to be told apart from.
  static func randomCoefficients(_ count: Int) -> [mclBnFr] {
    MCL.ready
    guard count > 1 else { return [mclBnFr](repeating: one, count: count) }
    let bytes = Entropy.bytes(16 * count)
    return (0..<count).map { index in
      var coefficient = Array(bytes[16 * index..<16 * (index + 1)])
      coefficient[0] |= 1
      return publicScalar(littleEndian: coefficient)
    }
  }

  private static let one = publicScalar(littleEndian: [1])

  private static func publicScalar(littleEndian bytes: [UInt8]) -> mclBnFr {
    MCL.ready
    var raw = mclBnFr()
    mclBnFr_setLittleEndian(&raw, bytes, bytes.count)
    return raw
  }

  private static let shiftBy256Bits: mclBnFr = {
    MCL.ready
    let bytes: [UInt8] = [1] + [UInt8](repeating: 0, count: 32)
    var raw = mclBnFr()
    mclBnFr_setBigEndianMod(&raw, bytes, bytes.count)
    return raw
  }()

  /// `count` zeroed scalars that are zeroed again after `body`.
  private static func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<mclBnFr>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: mclBnFr.self, capacity: count) { buffer in
      buffer.initialize(repeating: mclBnFr())
      defer { Wipe.zero(UnsafeMutableRawBufferPointer(buffer)) }
      return body(buffer.baseAddress!)
    }
  }

  private static func serialize(_ scalar: UnsafePointer<mclBnFr>) -> SecretBytes {
    SecretBytes(count: 32) { output in
      mclBnFr_serialize(output.baseAddress, output.count, scalar)
      var bigEndian = output
      bigEndian.reverse()
    }
  }
}
