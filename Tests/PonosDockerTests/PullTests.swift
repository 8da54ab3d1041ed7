import PonosDocker
import PonosTesting
import Testing

@Suite("Pulling")
struct PullTests {
  static let failures: [(status: Int, words: String, code: DockerError.Code)] = [
    (404, "manifest for r/perf:nope not found: manifest unknown: manifest unknown", .imageNotFound),
    (400, "invalid reference format: repository name must be lowercase", .invalidReference),
    (500, #"Head \"https://r/v2/perf/manifests/1\": no basic auth credentials"#, .registryUnauthorized),
    (500, "unauthorized: authentication required", .registryUnauthorized),
    (401, "unauthorized: authentication required", .registryUnauthorized),
    (404, "pull access denied for x, repository does not exist or may require 'docker login'", .registryUnauthorized),
    (500, #"Get \"http://r/v2/\": dial tcp 127.0.0.1:1: connect: connection refused"#, .registryUnavailable),
    (500, #"Get \"http://r/v2/\": dial tcp: lookup r: no such host"#, .registryUnavailable),
    (500, #"Get \"https://r/v2/\": x509: certificate signed by unknown authority"#, .registryUntrusted),
    (500, "net/http: TLS handshake timeout", .registryUnavailable),
    (500, #"Get \"https://r/v2/\": dial tcp 10.0.0.1:443: connect: no route to host"#, .registryUnavailable),
    (500, #"Get \"https://r/v2/\": dial tcp: lookup r on 127.0.0.53:53: server misbehaving"#, .registryUnavailable),
    (500, #"Get \"https://r/v2/\": dial tcp: lookup r: Temporary failure in name resolution"#, .registryUnavailable),
    (500, "write tcp 10.0.0.2:4242->10.0.0.1:443: write: broken pipe", .registryUnavailable),
    (500, "received unexpected HTTP status: 502 Bad Gateway", .registryUnavailable),
    (500, "the whale is asleep", .pullFailed),
  ]

  @Test("reports the engine's refusal by kind", arguments: failures)
  func reportsEnginesRefusalByKind(status: Int, words: String, code: DockerError.Code) async throws {
    let error = try await pull(creating: .reply(status, #"{"message":"\#(words)"}"#))
    #expect(error?.code == code)
    #expect(error?.status == status)
  }

  @Test("finds an error hidden in an answer of status 200", arguments: failures)
  func findsErrorHiddenInAnswerOfStatus200(status: Int, words: String, code: DockerError.Code) async throws {
    let error = try await pull(
      creating: .stream([
        #"{"status":"Pulling from perf","id":"1"}"# + "\r\n",
        #"{"errorDetail":{"message":"\#(words)"},"error":"\#(words)"}"# + "\r\n",
      ]))
    #expect(error?.code == code)
    #expect(error?.cause?.isEmpty == false)
  }

  @Test("finds the error without its deprecated twin, split across chunks, and without a final line end")
  func findsErrorWithoutItsDeprecatedTwin() async throws {
    let error = try await pull(
      creating: .stream([
        #"{"status":"x"}"# + "\n" + #"{"errorDe"#, #"tail":{"message":"filesystem layer veri"#, #"fication failed"}}"#,
      ]))
    #expect(error?.code == .imageCorrupt)
  }

  @Test("believes no success without the image")
  func believesNoSuccessWithoutImage() async throws {
    let error = try await pull(creating: .stream([#"{"status":"Status: Downloaded newer image for r/perf:1"}"#]))
    #expect(error?.code == .pullFailed)
    #expect(error?.message.contains("does not hold the image") == true)
  }

  @Test("fails on a stream that is cut, garbage, or not HTTP at all")
  func failsOnStreamThatIsCut() async throws {
    let cut = try await pull(creating: .stream([#"{"status":"x"}"# + "\n"], isComplete: false))
    #expect(cut?.code == .streamBroken || cut?.code == .malformedReply)
    let halfChunk = try await pull(creating: [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"sta")])
    #expect(halfChunk?.code == .streamBroken || halfChunk?.code == .malformedReply)
    let garbage = try await pull(creating: .stream(["<html>proxy error</html>\n"]))
    #expect(garbage?.code == .malformedReply)
    let notHTTP = try await pull(creating: [.send("SSH-2.0-OpenSSH_9.2\r\n")])
    #expect(notHTTP?.code == .malformedReply)
  }

  @Test("gives up on a registry that hangs, though each line starts the wait again")
  func givesUpOnRegistryThatHangs() async throws {
    let line = "a\r\n{\"s\":\"xx\"}\r\n"
    let start = ContinuousClock.now
    let error = try await pull(
      creating: [
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .wait(.milliseconds(400)), .send(line),
        .wait(.milliseconds(400)), .send(line), .wait(.milliseconds(400)), .send(line), .hang,
      ], idleLimit: .seconds(1))
    #expect(error?.code == .pullStalled)
    #expect(ContinuousClock.now - start > .milliseconds(1900))
  }

  @Test("is bounded by the total limit even while there is progress")
  func isBoundedByTotalLimitEvenWhileThereIsProgress() async throws {
    let slow = [ScriptedSocketServer.Step](repeating: .wait(.milliseconds(50)), count: 200)
      .flatMap { [$0, .send("a\r\n{\"s\":\"xx\"}\r\n")] }
    let error = try await pull(
      creating: [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")] + slow, totalLimit: .milliseconds(300))
    #expect(error?.code == .pullStalled)
  }

  @Test("sends tag and credentials in the form engines understand")
  func sendsTagAndCredentialsInFormEnginesUnderstand() async throws {
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/images/create": .stream([#"{"status":"ok"}"#])
      default: .reply(200, #"{"Id":"sha256:ab","RepoTags":null}"#)
      }
    } _: { server in
      let credentials = RegistryCredentials(username: "u?>", password: "p~~?", serverAddress: "r:5000")
      let image = try await server.client().pullImage(repository: "r:5000/perf", version: "1", credentials: credentials)
      #expect(image.id == "sha256:ab")
      let pull = try #require(server.requests.first { $0.path == "/images/create" })
      #expect(pull.target == "/images/create?fromImage=r%3A5000%2Fperf&tag=1")
      let header = try #require(pull.header("X-Registry-Auth").first)
      #expect(!header.contains("+") && !header.contains("/") && header.utf8.count.isMultiple(of: 4))
      #expect(!"\(credentials)".contains("p~~?"))
    }
  }

  private func pull(
    creating steps: [ScriptedSocketServer.Step], idleLimit: Duration = .seconds(5), totalLimit: Duration = .seconds(10)
  ) async throws -> DockerError? {
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/images/create": steps
      default: .reply(404, #"{"message":"No such image"}"#)
      }
    } _: { server in
      await #expect(throws: DockerError.self) {
        try await server.client().pullImage(
          repository: "r/perf", version: "1", idleLimit: idleLimit, totalLimit: totalLimit)
      }
    }
  }
}
