import PonosCore
import PonosCrypto
import PonosTesting
import Testing

@Suite struct MessageTests {
  @Test(arguments: try Vectors.of("task_submission"))
  func submissions(_ vector: TestVector) throws {
    let message = SubmissionMessage(
      taskID: try vector.inputs.taskID("task_id"),
      avs: try vector.inputs.address("avs_address"),
      executor: try vector.inputs.address("executor_address"),
      operatorSetID: try vector.inputs.uint32("operator_set_id"),
      referenceTimestamp: try vector.inputs.uint32("reference_timestamp"),
      blockNumber: try vector.inputs.integer("task_block_number"),
      payload: try vector.inputs.bytes("payload_hex"))
    #expect(message.preimage == (try vector.outputs.bytes("message_hex")))
    #expect(message.digest == (try vector.outputs.digest("digest_hex")))

    let ecdsa = SigningKey.ecdsa(try TestKeys.ecdsa(vector.inputs.string("ecdsa_signing_key_hex")))
    let ecdsaSignature = try vector.outputs.bytes("ecdsa_signature_hex")
    #expect(try ecdsa.signMessage(message.digest) == ecdsaSignature)
    try VerificationKey.ecdsa(vector.outputs.address("ecdsa_signer"))
      .verifyMessage(message.digest, signature: ecdsaSignature)

    let bn254 = SigningKey.bn254(try TestKeys.bn254(vector.inputs.string("bn254_signing_key_hex")))
    let bn254Signature = try vector.outputs.bytes("bn254_signature_hex")
    #expect(try bn254.signMessage(message.digest) == bn254Signature)
    try bn254.verificationKey.verifyMessage(message.digest, signature: bn254Signature)
  }

  /// The layout that docs/streams.md tells other implementations.
  @Test func sessionProofs() throws {
    func word(_ byte: UInt8) -> Digest32 { Digest32(unchecked: [UInt8](repeating: byte, count: 32)) }
    func address(_ byte: UInt8) -> EthereumAddress { EthereumAddress(unchecked: [UInt8](repeating: byte, count: 20)) }
    let message = SessionProofMessage(
      role: .executor,
      aggregator: AggregatorHello(
        challenge: word(0xa1), owner: TaskOwner(aggregator: address(0xaa), avs: address(0xab)), executor: address(0xac),
        operatorSetID: 5, heartbeat: 1),
      executor: ExecutorHello(
        challenge: word(0xe1), executor: address(0xff), session: word(0x51), heartbeat: 1, wanted: nil))
    let type =
      "PonosSession(uint32 role,uint32 version,address avs,address aggregator,address executor,uint32 operatorSetId,"
      + "bytes32 session,bytes32 aggregatorChallenge,bytes32 executorChallenge)"
    func padded(_ bytes: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: 32 - bytes.count) + bytes }
    let words: [[UInt8]] = [
      Keccak256.hash(Array(type.utf8)).bytes, padded([2]), padded([1]), padded(address(0xab).bytes), padded(address(0xaa).bytes),
      padded(address(0xac).bytes), padded([5]), word(0x51).bytes, word(0xa1).bytes, word(0xe1).bytes,
    ]
    #expect(message.preimage == words.flatMap { $0 })
    #expect(message.preimage.count == 320)
    var other = message
    other.role = .aggregator
    #expect(message.digest != other.digest)
  }

  @Test(arguments: try Vectors.of("task_message_hash"))
  func results(_ vector: TestVector) throws {
    let message = ResultMessage(
      taskID: try vector.inputs.taskID("task_id_hex"), result: try vector.inputs.bytes("result_hex"))
    #expect(message.preimage == (try vector.outputs.bytes("abi_preimage_hex")))
    #expect(message.digest == (try vector.outputs.digest("message_hash_hex")))
  }

  @Test(arguments: try Vectors.of("typehash"))
  func typeHashes(_ vector: TestVector) throws {
    for name in ["bn254", "ecdsa", "domain", "name", "version"] {
      let hash = Keccak256.hash(Array(try vector.inputs.string(name).utf8))
      #expect(hash == (try vector.outputs.digest(name)))
    }
  }

  @Test(arguments: try Vectors.of("domain_separator"))
  func domainSeparators(_ vector: TestVector) throws {
    let verifier = try vector.inputs.address("verifying_contract")
    #expect(CertificateVerifiers.domainSeparator(verifier: verifier) == (try vector.outputs.digest("domain_separator_hex")))
  }

  @Test func verifiersByChain() throws {
    let vectors = try Vectors.of("domain_separator")
    let mainnet = try vectors[0].inputs.address("verifying_contract")
    let sepolia = try vectors[1].inputs.address("verifying_contract")
    for chain in [1, 8453] as [UInt64] { #expect(CertificateVerifiers.ecdsaAddress(chainID: chain) == mainnet) }
    for chain in [11_155_111, 84532, 31337, 31338] as [UInt64] {
      #expect(CertificateVerifiers.ecdsaAddress(chainID: chain) == sepolia)
    }
    #expect(CertificateVerifiers.ecdsaAddress(chainID: 5) == nil)
  }

  @Test(arguments: try Vectors.of("ecdsa_certificate_digest"))
  func ecdsaCertificates(_ vector: TestVector) throws {
    let digest = CertificateDigest.ecdsa(
      messageHash: try vector.inputs.digest("message_hash_hex"),
      referenceTimestamp: try vector.inputs.uint32("reference_timestamp"),
      verifier: try vector.inputs.address("verifying_contract"))
    #expect(digest.preimage == (try vector.outputs.bytes("digest_bytes_hex")))
    #expect(digest.preimage.suffix(32).elementsEqual(try vector.outputs.bytes("struct_hash_hex")))
    #expect(digest.digest == (try vector.outputs.digest("digest_hex")))
    #expect(digest.curve == .ecdsa)
  }

  @Test(arguments: try Vectors.of("bn254_certificate_digest"))
  func bn254Certificates(_ vector: TestVector) throws {
    let digest = CertificateDigest.bn254(
      messageHash: try vector.inputs.digest("message_hash_hex"),
      referenceTimestamp: try vector.inputs.uint32("reference_timestamp"))
    #expect(digest.preimage.count == 96)
    #expect(digest.digest == (try vector.outputs.digest("digest_hex")))
    #expect(digest.curve == .bn254)
  }

  @Test(arguments: try Vectors.of("challenge_auth"))
  func challenges(_ vector: TestVector) throws {
    let message = ChallengeMessage(token: try vector.inputs.string("challenge_token"))
    #expect(message.digest == (try vector.outputs.digest("digest_hex")))
    let ecdsa = SigningKey.ecdsa(try TestKeys.ecdsa(vector.inputs.string("ecdsa_key_hex")))
    #expect(try ecdsa.signMessage(message.digest) == (try vector.outputs.bytes("ecdsa_signature_hex")))
    let bn254 = SigningKey.bn254(try TestKeys.bn254(vector.inputs.string("bn254_key_hex")))
    #expect(try bn254.signMessage(message.digest) == (try vector.outputs.bytes("bn254_signature_hex")))
  }
}
