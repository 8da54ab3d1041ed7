import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PonosCore
import PonosCrypto
import Synchronization

/// A chain of real EVM blocks behind endpoints on loopback (`Tests/Chain`), made ready by `scripts/build-chain.sh`.
package final class TestChain: Sendable {
  /// What the control of the chain said to a command it cannot carry out.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) {
      self.description = description
    }
  }

  /// How an endpoint misbehaves, as `Tests/Chain/README.md` says.
  package enum Fault: String, Sendable, CaseIterable {
    case hang, slow, error = "500", limited = "429", garbage, cut, refuse, stale, wrongChain, disagree, pruned, syncing, none
  }

  private struct Ports: Decodable {
    let endpoints: [Int]
    let control: Int
  }

  private let process: Mutex<Process>
  /// Held open: the chain ends with it.
  private let input: Pipe
  private let ports: Ports

  /// - Parameters:
  ///   - blockTime: Seconds from one block to the next; 0 mines none by itself.
  ///   - interval: Seconds between blocks as their timestamps say.
  package static func running<Value>(
    endpoints: Int = 1, blocks: Int = 20, blockTime: Double = 0, interval: Int = 12, _ body: (TestChain) async throws -> Value
  ) async throws -> Value {
    let chain = try TestChain([
      "--endpoints", "\(endpoints)", "--blocks", "\(blocks)", "--block-time", "\(blockTime)", "--interval", "\(interval)",
    ])
    defer { chain.end() }
    return try await body(chain)
  }

  private init(_ arguments: [String]) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
    let python = root.appending(path: ".build/chain/python/bin/python")
    guard FileManager.default.isExecutableFile(atPath: python.path) else {
      throw Failure(description: "\(python.path) is missing; run scripts/build-chain.sh first")
    }
    let (process, output) = (Process(), Pipe())
    input = Pipe()
    process.executableURL = python
    process.arguments = [root.appending(path: "Tests/Chain/node.py").path] + arguments
    process.environment = ["PONOS_CHAIN_CODE": root.appending(path: ".build/chain/contracts.json").path, "PATH": "/usr/bin:/bin"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // One line, once it serves.
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), let first = byte.first, first != 0x0a { line += byte }
    do { ports = try JSONDecoder().decode(Ports.self, from: line) } catch {
      process.terminate()
      throw Failure(description: "the test chain did not start; look at its standard error")
    }
    self.process = Mutex(process)
  }

  package func end() {
    process.withLock { $0.terminate() }
  }

  /// The URLs of the endpoints. What follows the host stands for an access key, and must never be seen anywhere.
  package var urls: [String] { ports.endpoints.map { "http://127.0.0.1:\($0)/v2/\(Self.secret)" } }

  package static let secret = "secret-access-key-of-the-test"

  // MARK: Control

  package struct Head: Decodable, Sendable {
    package let number: UInt64
    package let hash: String
    package let timestamp: UInt64
  }

  package struct Stats: Decodable, Sendable {
    /// HTTP requests, batches as one.
    package let requests: Int
    package let methods: [String: Int]
  }

  private struct Command: Encodable {
    var `do`: String
    var changes: [ChainChange]?
    var blocks: Int?
    var depth: Int?
    var kind: String?
    var seconds: Double?
    var endpoints: [Int]?
  }

  /// Appends blocks: those with `changes`, then `blocks` empty ones; one when neither is given.
  @discardableResult
  package func mine(_ changes: [ChainChange] = [], blocks: Int? = nil) async throws -> Head {
    try await send(Command(do: "mine", changes: changes, blocks: blocks))
  }

  /// Replaces the last `depth` blocks by others, the first of them with `changes`.
  @discardableResult
  package func reorganise(depth: Int, _ changes: [ChainChange] = [], blocks: Int? = nil) async throws -> Head {
    try await send(Command(do: "reorganise", changes: changes, blocks: blocks, depth: depth))
  }

  package func head() async throws -> Head { try await send(Command(do: "head")) }

  /// Makes endpoints misbehave; all of them unless some are named.
  package func fail(_ fault: Fault, seconds: Double = 1, endpoints: [Int]? = nil) async throws {
    let _: [String: String] = try await send(
      Command(do: "fault", kind: fault.rawValue, seconds: seconds, endpoints: endpoints))
  }

  /// What each endpoint was asked since the last reset.
  package func stats() async throws -> [Stats] { try await send(Command(do: "stats")) }

  package func reset() async throws {
    let _: [String: String] = try await send(Command(do: "reset"))
  }

  private func send<Answer: Decodable>(_ command: Command) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(ports.control)/")
    request.method = .POST
    request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(command)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
    guard response.status == .ok else { throw Failure(description: String(decoding: body, as: UTF8.self)) }
    return try JSONDecoder().decode(Answer.self, from: body)
  }
}
