import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Challenge tokens")
struct ChallengeTokensTests {
  let clock = TestClock()

  private func tokens() -> ChallengeTokens {
    ChallengeTokens(unixSeconds: { [clock] in clock.unixMilliseconds / 1000 })
  }

  @Test("are 64 lower-case hex digits, never the same twice, and end after five minutes")
  func are64LowerCaseHexDigits() {
    let tokens = tokens()
    let issued = (0..<200).map { _ in tokens.issue() }
    for (token, expiresAt) in issued {
      #expect(token.wholeMatch(of: /[0-9a-f]{64}/) != nil)
      #expect(expiresAt == clock.unixMilliseconds / 1000 + 300)
      #expect(tokens.isUsable(token))
    }
    #expect(Set(issued.map(\.token)).count == issued.count)
  }

  @Test("can be used once")
  func canBeUsedOnce() {
    let tokens = tokens()
    let (token, _) = tokens.issue()
    #expect(tokens.isUsable(token))
    #expect(tokens.use(token))
    #expect(!tokens.isUsable(token))
    #expect(!tokens.use(token))
  }

  @Test("expire to the second")
  func expireToSecond() {
    let tokens = tokens()
    let (used, _) = tokens.issue()
    let (unused, _) = tokens.issue()
    #expect(tokens.use(used))
    clock.advance(by: .seconds(299))
    #expect(tokens.isUsable(unused))
    #expect(!tokens.use(used))
    clock.advance(by: .seconds(1))
    #expect(!tokens.isUsable(unused))
    #expect(!tokens.use(unused))
    #expect(!tokens.use(used), "a used token must not come back when it is forgotten")
  }

  @Test("cannot be made elsewhere, altered, or spelt otherwise")
  func cannotBeMadeElsewhere() {
    let tokens = tokens()
    let (token, _) = tokens.issue()
    let (foreign, _) = self.tokens().issue()
    #expect(!tokens.isUsable(foreign))
    for index in 0..<64 {
      var characters = Array(token)
      characters[index] = characters[index] == "0" ? "1" : "0"
      #expect(!tokens.isUsable(String(characters)), "digit \(index)")
    }
    for other in ["", "0x" + token, token + "00", String(token.dropLast(2)), " " + token.dropFirst(), token + "\n"] {
      #expect(!tokens.isUsable(other))
      #expect(!tokens.use(other))
    }
    if token.uppercased() != token { #expect(!tokens.isUsable(token.uppercased())) }
    #expect(tokens.isUsable(token))
  }

  @Test("of many callers with the same token one is let in")
  func ofManyCallersWithTheSameTokenOneIsLetIn() async {
    let tokens = tokens()
    let (token, _) = tokens.issue()
    let accepted = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<64 { group.addTask { tokens.use(token) } }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(accepted == 1)
  }
}
