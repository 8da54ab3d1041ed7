import PonosCore
import PonosTesting
import Testing

@testable import PonosCrypto

@Suite struct BN254BatchTests {
  private let key: BN254PrivateKey

  init() throws {
    key = try BN254PrivateKey.generate()
  }

  private func statement() -> BN254Statement {
    let (digest, hashing) = (TestKeys.randomDigest(), Bool.random() ? BN254Hashing.xmd : .solidity)
    return BN254Statement(digest: digest, hashing: hashing, signature: key.sign(digest, hashing: hashing))
  }

  /// A signature that is a point of the group, as every one is that gets as far as a batch, but not the key's over the message.
  private func wrong(_ kind: Int) throws -> BN254Statement {
    var statement = statement()
    switch kind % 5 {
    case 0: statement.digest = TestKeys.randomDigest()
    case 1: statement.hashing = statement.hashing == .xmd ? .solidity : .xmd
    case 2: statement.signature = BN254Signature(statement.signature.point.negated)
    case 3: statement.signature = BN254Signature(statement.signature.point + .generator)
    default:
      statement.signature = try BN254PrivateKey.generate().sign(statement.digest, hashing: statement.hashing)
    }
    return statement
  }

  /// What the bisection says of each claim, and how many pairing checks it took.
  private func verdicts(
    on claims: [BN254Claim], of key: BN254PublicKey? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) -> (holds: [Bool], checks: Int) {
    var holds = [Bool?](repeating: nil, count: claims.count)
    var bisection = BN254Bisection(claims, of: key ?? self.key.publicKey)
    while let verdict = bisection.next() {
      for index in verdict.range {
        #expect(holds[index] == nil, "decided twice", sourceLocation: sourceLocation)
        holds[index] = verdict.holds
      }
    }
    #expect(!holds.contains(nil), "not decided", sourceLocation: sourceLocation)
    return (holds.map { $0 ?? false }, bisection.checks)
  }

  @Test func everyMixOfFiveIsToldApart() throws {
    for mask in 0..<32 {
      let expected = (0..<5).map { mask >> $0 & 1 == 0 }
      let claims = try expected.enumerated().map { BN254Claim([$1 ? statement() : try wrong($0 + mask)]) }
      let (holds, checks) = verdicts(on: claims)
      #expect(holds == expected)
      #expect(checks <= 5)
    }
  }

  @Test(arguments: [1, 2, 3, 7, 33, 64])
  func randomMixesAreToldApart(count: Int) throws {
    for share in [0.02, 0.2, 0.9] {
      let expected = (0..<count).map { _ in Double.random(in: 0..<1) >= share }
      let claims = try expected.map { BN254Claim([$0 ? statement() : try wrong(.random(in: 0..<5))]) }
      let (holds, checks) = verdicts(on: claims)
      #expect(holds == expected)
      // As the bisection promises: never more than one by one, and few when few are wrong.
      let (wrongCount, levels) = (expected.count { !$0 }, Int.bitWidth - (count - 1).leadingZeroBitCount)
      #expect(checks <= count)
      #expect(checks <= 1 + wrongCount * levels)
    }
  }

  @Test func allGoodTakeOneCheckAndAllBadAsManyAsOneByOne() throws {
    #expect(verdicts(on: (0..<64).map { _ in BN254Claim([statement()]) }).checks == 1)
    let (holds, checks) = verdicts(on: try (0..<64).map { BN254Claim([try wrong($0)]) })
    #expect(!holds.contains(true))
    #expect(checks == 64)
    #expect(verdicts(on: []).checks == 0)
  }

  /// What one signature is off by, the other is off by the other way.
  @Test func errorsThatCancelInAPlainSumDoNotCancel() throws {
    for first in 0..<6 {
      for second in 0..<6 where second != first {
        var statements = (0..<6).map { _ in statement() }
        statements[first].signature = BN254Signature(statements[first].signature.point + .generator)
        statements[second].signature = BN254Signature(statements[second].signature.point + BN254G1.generator.negated)
        let expected = (0..<6).map { $0 != first && $0 != second }
        #expect(verdicts(on: statements.map { BN254Claim([$0]) }).holds == expected)
        #expect(!key.publicKey.verifyBatch(statements))
      }
    }
    // Two messages whose signatures were swapped: the plain sums are those of right signatures.
    var statements = (0..<4).map { _ in
      let digest = TestKeys.randomDigest()
      return BN254Statement(digest: digest, hashing: .xmd, signature: key.sign(digest, hashing: .xmd))
    }
    (statements[0].signature, statements[3].signature) = (statements[3].signature, statements[0].signature)
    #expect(verdicts(on: statements.map { BN254Claim([$0]) }).holds == [false, true, true, false])
  }

  @Test func aClaimOfSeveralSignaturesFallsWithAnyOfThem() throws {
    var swapped = [statement(), statement()]
    (swapped[0].signature, swapped[1].signature) = (swapped[1].signature, swapped[0].signature)
    let claims = [
      BN254Claim([statement(), statement()]), BN254Claim([statement(), try wrong(0)]), BN254Claim([statement()]),
      BN254Claim([try wrong(3), statement()]), BN254Claim(swapped), BN254Claim([]),
    ]
    #expect(verdicts(on: claims).holds == [true, false, true, false, false, true])
  }

  @Test func anotherKeyMadeNoneOfThem() throws {
    let claims = (0..<8).map { _ in BN254Claim([statement()]) }
    let other = try BN254PrivateKey.generate().publicKey
    #expect(!verdicts(on: claims, of: other).holds.contains(true))
  }

  /// Independent implementations' signatures hold inside a batch, and each over another vector's message or hash does not.
  @Test(arguments: [("bn254_sign_xmd", "message_hex"), ("bn254_sign_solidity", "message_hash_hex")])
  func vectorsAreJudgedInsideBatchesAsAlone(_ category: String, _ field: String) throws {
    let hashing: BN254Hashing = category == "bn254_sign_xmd" ? .xmd : .solidity
    for vector in try Vectors.of(category) {
      let key = try TestKeys.bn254(vector.inputs.string("private_key_hex"))
      let signature = try BN254Signature(bytes: vector.outputs.bytes("signature_hex"))
      let right = BN254Statement(digest: try vector.inputs.digest(field), hashing: hashing, signature: signature)
      var variants = [right, right, right, right]
      variants[1].hashing = hashing == .xmd ? .solidity : .xmd
      variants[2].digest = TestKeys.randomDigest()
      variants[3].signature = BN254Signature(signature.point.negated)
      let others = (0..<12).map { _ in
        let digest = TestKeys.randomDigest()
        return BN254Statement(digest: digest, hashing: hashing, signature: key.sign(digest, hashing: hashing))
      }
      for position in [0, 5, 12] {
        var statements = others
        statements.insert(contentsOf: variants, at: position)
        let expected = statements.indices.map { !(position + 1...position + 3).contains($0) }
        #expect(verdicts(on: statements.map { BN254Claim([$0]) }, of: key.publicKey).holds == expected)
      }
    }
  }

  @Test func coefficientsAreOddAndNeverTheSame() {
    let all = (0..<4).flatMap { _ in BN254Scalar.randomCoefficients(64) }
    // Through a point: the scalars themselves cannot be compared.
    let points = all.map { BN254G1.sum([BN254G1.generator], times: [$0]).bytes }
    #expect(Set(points).count == all.count)
    #expect(BN254G1.sum([BN254G1.generator], times: BN254Scalar.randomCoefficients(1)[...]).bytes == BN254G1.generator.bytes)
  }
}
