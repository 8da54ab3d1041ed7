import CSecp256k1

/// The one libsecp256k1 context of the process.
enum Secp256k1 {
  /// Made on first use and blinded with random bytes against side channels; only read afterwards, which the library
  /// declares safe from any number of threads.
  nonisolated(unsafe) static let context: OpaquePointer = {
    guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
      preconditionFailure("libsecp256k1 cannot allocate its context")
    }
    var seed = Entropy.bytes(32)
    let blinded = secp256k1_context_randomize(context, &seed)
    seed.withUnsafeMutableBytes { Wipe.zero($0) }
    precondition(blinded == 1, "libsecp256k1 cannot blind its context")
    return context
  }()
}
