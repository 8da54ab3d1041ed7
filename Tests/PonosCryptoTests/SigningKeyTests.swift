import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct SigningKeyTests {
  /// Certificates signed with these bytes were accepted by the deployed verifier contracts.
  @Test(arguments: try Vectors.of("result_signing"), SignatureCurve.allCases)
  func signsResults(_ vector: TestVector, _ curve: SignatureCurve) throws {
    let expected = try vector.outputs.member(curve.rawValue)
    let key = try SigningKey(
      curve: curve, hex: SecretBytes(text: vector.inputs.string("\(curve.rawValue)_signing_key_hex")))
    let result = ResultMessage(
      taskID: try vector.inputs.taskID("task_id"), result: try vector.inputs.bytes("result_hex"))
    #expect(result.digest == (try vector.outputs.digest("message_hash_hex")))
    let certificate = CertificateDigest.make(
      curve: curve, messageHash: result.digest, referenceTimestamp: try vector.inputs.uint32("reference_timestamp"),
      ecdsaVerifier: try vector.inputs.address("ecdsa_verifying_contract"))
    let digestField = curve == .ecdsa ? "signed_digest_hex" : "certificate_digest_hex"
    #expect(certificate.digest == (try expected.digest(digestField)))

    let operatorSet = OperatorSet(
      avs: try vector.inputs.address("avs_address"), id: try vector.inputs.uint32("operator_set_id"))
    let operatorAddress = try vector.inputs.address("operator_address")
    let signatures = try key.signResult(
      certificate, taskID: result.taskID, operatorSet: operatorSet, operatorAddress: operatorAddress)
    #expect(signatures.result == (try expected.bytes("result_signature_hex")))
    #expect(signatures.auth == (try expected.bytes("auth_signature_hex")))
    #expect(try key.signCertificate(certificate) == signatures.result)

    let auth = AuthMessage(
      taskID: result.taskID, operatorSet: operatorSet, operatorAddress: operatorAddress,
      resultSignature: signatures.result)
    #expect(auth.preimage == (try expected.bytes("auth_message_hex")))
    #expect(auth.digest == (try expected.digest("auth_digest_hex")))
    #expect(try key.signMessage(auth.digest) == signatures.auth)
    try key.verificationKey.verifyResult(certificate, authDigest: auth.digest, signatures: signatures)
  }

  /// The vector that records the contracts' verdict names the one whose signatures `signsResults` reproduces.
  @Test func signedResultsAreTheOnesTheContractsAccepted() throws {
    let verdict = try #require(try Vectors.of("onchain_acceptance").first)
    let name = try verdict.inputs.string("result_signing_vector")
    let signed = try #require(try Vectors.of("result_signing").first { $0.name == name })
    let weights = try verdict.outputs.string("bn254_verifyCertificate_weights")
    #expect(weights.contains("100"))
    guard case .array(let ecdsa) = try verdict.outputs.member("ecdsa_verifyCertificate") else {
      Issue.record("no verdict")
      return
    }
    let signer = try signed.outputs.member("ecdsa").string("signer_address")
    #expect(ecdsa.contains(.string("('\(signer)',)")))
  }

  @Test(arguments: SignatureCurve.allCases)
  func refusesTheOtherCurvesCertificates(_ curve: SignatureCurve) throws {
    let other: SignatureCurve = curve == .ecdsa ? .bn254 : .ecdsa
    let key = try SigningKey.generate(curve)
    let verifier = try #require(CertificateVerifiers.ecdsaAddress(chainID: 1))
    let certificate = CertificateDigest.make(
      curve: other, messageHash: TestKeys.randomDigest(), referenceTimestamp: 1, ecdsaVerifier: verifier)
    expectError(SigningError.self, where: { $0 == .wrongCurve(key: curve, certificate: other) }) {
      _ = try key.signCertificate(certificate)
    }
    expectError(SignatureError.self, where: { $0 == .wrongCurve(key: curve, message: other) }) {
      try key.verificationKey.verifyCertificate(certificate, signature: [])
    }
  }

  @Test(arguments: SignatureCurve.allCases)
  func verifiesOnlyItsOwn(_ curve: SignatureCurve) throws {
    let key = try SigningKey.generate(curve)
    let other = try SigningKey.generate(curve)
    let digest = TestKeys.randomDigest()
    let signature = try key.signMessage(digest)
    try key.verificationKey.verifyMessage(digest, signature: signature)
    expectError(SignatureError.self, where: { $0.code == "wrong_signer" }) {
      try other.verificationKey.verifyMessage(digest, signature: signature)
    }
    expectError(SignatureError.self, where: { $0.code == "wrong_signer" }) {
      try key.verificationKey.verifyMessage(TestKeys.randomDigest(), signature: signature)
    }
    expectError(SignatureError.self, where: { $0.code == "malformed_signature" }) {
      try key.verificationKey.verifyMessage(digest, signature: signature + [0])
    }
  }

  /// A certificate's signature is not a message's on BN254, though both are over 32 bytes.
  @Test func certificatesAndMessagesDoNotMixOnBN254() throws {
    let key = try SigningKey.generate(.bn254)
    let certificate = CertificateDigest.bn254(messageHash: TestKeys.randomDigest(), referenceTimestamp: 7)
    let signature = try key.signCertificate(certificate)
    try key.verificationKey.verifyCertificate(certificate, signature: signature)
    expectError(SignatureError.self, where: { $0 == .doesNotVerify }) {
      try key.verificationKey.verifyMessage(certificate.digest, signature: signature)
    }
  }

  @Test func resultsWithOneWrongSignatureDoNotVerify() throws {
    let key = try SigningKey.generate(.bn254)
    let certificate = CertificateDigest.bn254(messageHash: TestKeys.randomDigest(), referenceTimestamp: 7)
    let set = OperatorSet(avs: EthereumAddress(unchecked: TestKeys.randomBytes(20)), id: 0)
    let task = TaskID(unchecked: TestKeys.randomBytes(32))
    let signatures = try key.signResult(certificate, taskID: task, operatorSet: set, operatorAddress: set.avs)
    let auth = AuthMessage(
      taskID: task, operatorSet: set, operatorAddress: set.avs, resultSignature: signatures.result)
    let swapped = ResultSignatures(result: signatures.auth, auth: signatures.result)
    expectError(SignatureError.self, where: { $0 == .doesNotVerify }) {
      try key.verificationKey.verifyResult(certificate, authDigest: auth.digest, signatures: swapped)
    }
    expectError(SignatureError.self, where: { $0 == .doesNotVerify }) {
      try key.verificationKey.verifyResult(certificate, authDigest: TestKeys.randomDigest(), signatures: signatures)
    }
  }
}
