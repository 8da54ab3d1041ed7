import NIOHTTP1
import PonosCore
import PonosStoreTesting
import PonosTesting
import Testing

@testable import PonosContainers

/// Only what is complete and understood is an answer. Answers are written as bytes to a raw socket, which then closes.
@Suite("Framing of HTTP answers")
struct HTTPFramingTests {
  private static func outcome(_ text: String) async throws -> Result<String, PerformerCallError> {
    try await ScriptedSocketServer.runOnLoopback(script: { _ in [.send(text)] }) { _, port in
      let connection = HTTPPerformerConnection(
        PerformerEndpoint(
          performerID: "p", avs: StoreRecords.address(1), host: "127.0.0.1",
          interface: .init(style: .http(taskPath: "/run", healthPath: "/up"), port: port)),
        taskPath: "/run", healthPath: "/up")
      let outcome: Result<String, PerformerCallError>
      do throws(PerformerCallError) {
        let reply = try await connection.execute(StoreRecords.taskID(1), payload: [1], timeout: .seconds(20))
        outcome = .success(String(decoding: reply.output, as: UTF8.self))
      } catch { outcome = .failure(error) }
      await connection.close()
      return outcome
    }
  }

  @Test(
    "complete answers in plain bytes are taken",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "whole"),
      ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "whole"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
      ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: identity\r\n\r\nwhole", "whole"),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwh\r\n3\r\nole\r\n0\r\n\r\n", "whole"),
      ("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n5;name=x\r\nwhole\r\n0\r\n\r\n", "whole"),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nwhole\r\n0\r\nX: y\r\n\r\n", "whole"),
      ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "whole"),
      ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", "whole"),
    ])
  func taken(text: String, output: String) async throws {
    #expect(try await Self.outcome(text) == .success(output))
  }

  @Test(
    "answers whose end or meaning nobody can tell are errors of the performer, with cause and cure",
    arguments: [
      ("HTTP/1.1 200 OK\r\n\r\nhalf", "neither Content-Length nor chunks"),
      ("HTTP/1.0 200 OK\r\n\r\nhalf", "neither Content-Length nor chunks"),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhalf", #"Transfer-Encoding "gzip""#),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhalf", #"Transfer-Encoding "identity""#),
      (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n", #"Transfer-Encoding "gzip, chunked""#
      ),
      ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nzzzz", #"Content-Encoding "gzip""#),
      ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: identity, x-new\r\n\r\nzzzz", "x-new"),
      ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nzzzz\r\n0\r\n\r\n", #""br""#),
    ])
  func refused(text: String, cause: String) async throws {
    guard case .failure(.answeredError(200, let message)) = try await Self.outcome(text) else {
      Issue.record("it was not refused as the performer's error")
      return
    }
    #expect(message.description.contains(cause))
    #expect(message.description.contains("send "), "no cure: \(message)")
  }

  @Test(
    "answers that break off, or are not HTTP, are runs without an answer",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhalf\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n4\r\nhalf",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nhalf",
      "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nhalf",
      "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "",
    ])
  func broken(text: String) async throws {
    // A broken answer never is a reply; whether the parser or we refuse it decides between two kinds of error.
    switch try await Self.outcome(text) {
    case .success(let output): Issue.record("taken for an answer: \(output)")
    case .failure(.unreachable), .failure(.answeredError(200, _)): break
    case .failure(let error): Issue.record("\(error)")
    }
  }

  @Test("headers are judged by themselves: one length, or chunks in HTTP/1.1, and nothing encoded")
  func rules() {
    func isTaken(_ headers: [(String, String)], _ version: HTTPVersion = .http1_1) -> Bool {
      HTTPFraming.fault(version: version, headers: HTTPHeaders(headers)) == nil
    }
    #expect(isTaken([("Content-Length", "4")]) && isTaken([("Transfer-Encoding", "chunked")]))
    #expect(!isTaken([]) && !isTaken([("Content-Length", "4"), ("Transfer-Encoding", "chunked")]))
    #expect(!isTaken([("Transfer-Encoding", "chunked")], .http1_0))
    for length in ["", "4x", "+4", "-4", "4, 4"] { #expect(!isTaken([("Content-Length", length)])) }
    #expect(!isTaken([("Content-Length", "4"), ("Content-Length", "4")]))
    #expect(!isTaken([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]))
    for coding in ["gzip", "identity, gzip", "GZIP"] {
      #expect(!isTaken([("Content-Length", "4"), ("Content-Encoding", coding)]))
    }
    let fault = HTTPFraming.fault(version: .http1_1, headers: ["Transfer-Encoding": String(repeating: "z", count: 4000)]) ?? ""
    #expect(fault.utf8.count < 300)
  }
}
