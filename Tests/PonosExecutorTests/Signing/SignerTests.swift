import PonosContainersTesting
import PonosCore
import PonosCrypto
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing

@testable import PonosExecutor
@testable import PonosStore

@Suite("Signers")
struct SignerTests {
  typealias Rig = PipelineRig

  /// A signer that answers later, and from elsewhere, than the key of this process would.
  private static func remote(_ key: SigningKey, claiming claimed: SigningKey) -> Signer {
    Signer(verificationKey: claimed.verificationKey) { request throws(SigningError) in
      await Task.yield()
      return try await key.signer.sign(request)
    }
  }

  @Test("a signer outside of the process signs what a key of the process signs", arguments: [0, 1] as [UInt32])
  func remoteSigner(set: UInt32) async throws {
    let keys = KeyRing(SignatureCurve.allCases.map { Self.remote(TestKeys.executor($0), claiming: TestKeys.executor($0)) })
    let submission = try Rig.submission(Rig.draft(set: set))
    let remote = try await Rig(keys: keys).run { rig in
      rig.publish(.echo())
      return try #require(await rig.unary.submit(submission)?.signed)
    }
    try Rig.check(remote, for: submission)
    let local = try await Rig().run { rig in
      rig.publish(.echo())
      return try #require(await rig.unary.submit(submission)?.signed)
    }
    #expect(remote == local)
  }

  @Test("what a signer gives leaves the daemon only when it verifies", arguments: [0, 1] as [UInt32])
  func wrongSigner(set: UInt32) async throws {
    let keys = KeyRing(SignatureCurve.allCases.map { Self.remote(TestKeys.stranger($0), claiming: TestKeys.executor($0)) })
    let submission = try Rig.submission(Rig.draft(set: set))
    let store = MemoryStore()
    try await Rig(store: store, keys: keys).run { rig in
      rig.publish(.echo())
      let failure = try #require(await rig.unary.submit(submission)?.failure)
      #expect(failure.code == "signing_failed")
      #expect(failure.message.contains(SigningError.selfVerificationFailed.message))
      #expect(try await store.task(submission.id)?.result == nil)
    }
  }

  @Test("a signer shows its public key and nothing else", arguments: SignatureCurve.allCases)
  func description(curve: SignatureCurve) {
    let signer = TestKeys.executor(curve).signer
    var dumped = ""
    dump(signer, to: &dumped)
    for text in ["\(signer)", String(reflecting: signer), dumped] {
      #expect(text.contains(signer.verificationKey.description))
      #expect(!text.contains(TestKeys.executorHex(curve).dropFirst(2)))
    }
  }
}
