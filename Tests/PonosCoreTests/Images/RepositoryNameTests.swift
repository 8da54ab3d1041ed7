import Testing

@testable import PonosCore

@Suite struct RepositoryNameTests {
  @Test(
    arguments: [
      "performer", "acme/performer", "ghcr.io/acme/performer", "localhost:5000/performer", "Registry.Example.org:443/a/b",
      "a.b_c--d/e__f", "127.0.0.1:5000/x",
    ])
  func aNameIsTaken(name: String) {
    #expect(RepositoryName.isValid(name))
  }

  @Test(
    arguments: [
      "", "/", "a/", "/a", "a//b", "Acme", "a:tag", "ghcr.io/Acme/x", "https://ghcr.io/a", "a b", "-a", "a-", "ghcr.io:port/a",
      "ghcr.io:/a", ":5000/a", "a@sha256:0", "ä/b", "a/b:c", "a\n", "host:1:2/a",
    ])
  func anythingElseIsRefused(name: String) {
    #expect(!RepositoryName.isValid(name))
  }

  @Test func aLongNameIsRefusedByItsLength() {
    #expect(RepositoryName.isValid(String(repeating: "a", count: RepositoryName.maxBytes)))
    #expect(!RepositoryName.isValid(String(repeating: "a", count: RepositoryName.maxBytes + 1)))
    // What took a backtracking matcher seconds.
    #expect(!RepositoryName.isValid(String(repeating: "a-", count: 1 << 20) + "!"))
  }
}
