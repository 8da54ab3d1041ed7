import PonosCore
import Testing

@Suite("Claims of replicas")
struct ReplicaClaimsTests {
  private static func avs(_ byte: UInt8) -> EthereumAddress { EthereumAddress([UInt8](repeating: byte, count: 20))! }
  private let first = ReplicaID(avs: Self.avs(1), replica: 0)
  private let second = ReplicaID(avs: Self.avs(1), replica: 1)
  private let foreign = ReplicaID(avs: Self.avs(2), replica: 0)

  @Test("are for one at a time, and one replica's keeps no other replica")
  func oneReplicaAtATime() {
    var claims = ReplicaClaims()
    #expect([claims.claim(first), claims.claim(first)] == [true, false])
    #expect([claims.claim(second), claims.claim(foreign)] == [true, true])
    claims.release(first)
    #expect([claims.claim(first)] == [true])
  }

  @Test("of a whole AVS keep its replicas and no other AVS's, and wait for those of its replicas")
  func ofWholeAVSKeepItsReplicasAndNoOtherAVSs() {
    var claims = ReplicaClaims()
    #expect([claims.claim(second), claims.claim(allOf: first.avs)] == [true, false])
    claims.release(second)
    #expect([claims.claim(allOf: first.avs), claims.claim(allOf: first.avs)] == [true, false])
    #expect([claims.claim(first), claims.claim(second), claims.claim(foreign)] == [false, false, true])
    claims.release(allOf: first.avs)
    #expect([claims.claim(first)] == [true])
  }

  @Test("that were refused, or are unknown, change nothing")
  func thatWereRefused() {
    var claims = ReplicaClaims()
    #expect([claims.claim(first)] == [true])
    let before = claims
    #expect([claims.claim(first), claims.claim(allOf: first.avs)] == [false, false])
    claims.release(second)
    claims.release(allOf: foreign.avs)
    #expect(claims == before)
  }
}
