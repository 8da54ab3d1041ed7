import CMclBN256

/// The curve that mcl is set up for: BN254 as Ethereum's precompiles know it (alt_bn128).
///
/// mcl holds one curve per process and its initialisation is not thread-safe; afterwards its functions may be called from
/// any thread. Everything that touches mcl therefore goes through a type that reads `ready` first.
enum MCL {
  /// Reading this initialises the library, once.
  static let ready: Void = {
    // What the library was built for: 4 words per element of either field (MCLBN_COMPILED_TIME_VAR).
    let builtFor = Int32(MCLBN_FR_UNIT_SIZE * 10 + MCLBN_FP_UNIT_SIZE)
    let failure = mclBn_init(Int32(MCL_BN_SNARK1), builtFor)
    precondition(failure == 0, "the installed libmclbn256 was built for another field size; run the set-up script again")
  }()
}
