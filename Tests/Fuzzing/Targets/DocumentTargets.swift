import Foundation
import NIOCore
import PonosAPI
import PonosCore
import SwiftProtobuf

@testable import PonosConfiguration
@testable import PonosCrypto
@testable import PonosDocker
@testable import PonosExecutor
@testable import PonosStore

extension FuzzTarget {
  /// The body of a submission, as the wire has it.
  static let submission = FuzzTarget("submission", words: ["0x", String(repeating: "a", count: 64)]) { input in
    guard let message = try? Eigenlayer_Hourglass_V1_TaskSubmission(serializedBytes: input) else { return }
    do throws(Rejection) {
      let submission = try TaskSubmission(wire: message)
      precondition(submission.payload.count <= TaskSubmission.maxPayloadBytes)
    } catch {
      // A refusal names what is wrong with which field.
      precondition(!error.message.isEmpty && !error.code.isEmpty)
    }
  }

  /// A message of a task stream, read as each end reads what the other sends.
  ///
  /// Checks that a refusal says why, and that what was read can be passed on.
  static let streamMessages = FuzzTarget(
    "stream-messages",
    words: [
      [0x0a, 0x22, 0x12, 0x20], [0x3a, 0], [0x22, 0x44, 0x0a, 0x42], Array("0x".utf8), [UInt8](repeating: 0x61, count: 64),
    ]
  ) { input in
    if let message = try? Ponos_V1_AggregatorMessage(serializedBytes: input) {
      checkRoundTrip(message, read: AggregatorMessage.init(wire:), write: \.wire)
    }
    if let message = try? Ponos_V1_ExecutorMessage(serializedBytes: input) {
      checkRoundTrip(message, read: ExecutorMessage<StreamAnswer>.init(wire:), write: \.wire)
    }
  }

  /// Reading shortens texts and forgets what a refused task was, so it is what was read and written once that has to stay the same.
  private static func checkRoundTrip<Wire: SwiftProtobuf.Message, Read: Equatable>(
    _ wire: Wire, read: (Wire) throws -> Read, write: (Read) -> Wire
  ) {
    do {
      let first = write(try read(wire))
      let once = try read(first)
      let twice = try read(write(once))
      precondition(once == twice, "a message changes on its way")
    } catch let error as StreamWireError {
      precondition(!error.message.isEmpty)
    } catch {
      preconditionFailure("a message is refused with an error of another kind: \(error)")
    }
  }

  /// The text of a configuration file. Every finding has to say where and what.
  static let configuration = FuzzTarget(
    "configuration",
    words: [
      "operator:\n", "avsPerformers:\n", "  - ", ": ", "&a ", "*a", "{", "}", "[", "|\n", "!!binary ", "\t", "0x", "90s", "${",
    ]
  ) { input in
    do throws(ConfigurationErrors) {
      _ = try ConfigurationLoader.load(bytes: input, of: "executor.yaml")
    } catch {
      precondition(!error.findings.isEmpty)
    }
  }

  /// The text of a keystore, read but not opened, which takes memory and a second by design.
  static let keystore = FuzzTarget(
    "keystore", words: ["\"crypto\":", "\"kdf\":", "\"scrypt\"", "\"n\":", "262144", "-1", "1e99", "null", "{", "}", "\\u0000"]
  ) { input in
    _ = try? Keystore(json: input)
  }

  /// A keystore that is opened, as long as it asks for little work.
  ///
  /// Checks that one password, and no other, opens what it opens.
  static let keystoreOpening = FuzzTarget(
    "keystore-opening",
    words: ["\"crypto\":", "\"kdf\":", "\"pbkdf2\"", "\"scrypt\"", "\"message\":", "\"pubkey\":", "\"address\":", "00"]
  ) { input in
    guard let keystore = try? Keystore(json: input), keystore.kdf.isLight else { return }
    for curve in SignatureCurve.allCases {
      guard (try? keystore.decrypt(password: SecretBytes(text: "test"), as: curve)) != nil else { continue }
      precondition((try? keystore.decrypt(password: SecretBytes(text: "Test"), as: curve)) == nil, "any password opens it")
    }
  }

  /// A signed history that is to be imported. One that is read has to be written and read again as it was.
  static let signedHistory = FuzzTarget(
    "signed-history",
    words: ["\"format\":", "\"entries\":", "\"ecdsa\"", "\"bn254\"", "0x", "-1", "1e400", "null", "{", "}", "[", "]"]
  ) { input in
    do {
      let entries = try entries(of: Data(input))
      precondition(rewritten(entries) == entries, "a history changes on its way")
    } catch {
      precondition(!"\(error)".isEmpty)
    }
  }

  /// Whose histories the corpus has.
  private static let historyOwner = EthereumAddress(unchecked: [UInt8](repeating: 0x11, count: 20))

  private static func entries(of document: Data) throws -> [SignedHistory.Entry] {
    var rest = document[...]
    var reader = SignedHistoryReader(of: historyOwner) {
      defer { rest = rest.dropFirst(64) }
      return rest.prefix(64)
    }
    var entries: [SignedHistory.Entry] = []
    try reader.readEntries { entries.append($0) }
    return entries
  }

  private static func rewritten(_ entries: [SignedHistory.Entry]) -> [SignedHistory.Entry] {
    var text = Data()
    do {
      var writer = try SignedHistoryWriter(operatorAddress: historyOwner, exportedAt: 0) { text.append($0) }
      try writer.add(entries)
      _ = try writer.finish()
      return try self.entries(of: text)
    } catch {
      preconditionFailure("a history that was read cannot be written: \(error)")
    }
  }

  /// One reply of a Docker engine, read as each kind of reply.
  static let dockerReplies = FuzzTarget(
    "docker-replies", words: ["null", "{", "}", "[]", "\"Id\":", "\"State\":", "-1", "1e400"]
  ) { input in
    let decoder = JSONDecoder()
    let data = Data(input)
    func read<Reply: Decodable>(_ type: Reply.Type) { _ = try? decoder.decode(type, from: data) }
    read(EngineVersion.self)
    read(EngineInfo.self)
    read(EngineEvent.self)
    read(ContainerDetails.self)
    read([ContainerSummary].self)
    read(ContainerExit.self)
    read(ContainerUsage.self)
    read(NetworkDetails.self)
    read(ImageDetails.self)
    read([ImageSummary].self)
    read(ProgressMessage.self)
  }

  /// A container's output with its framing, cut by the first byte of the input. Cuts must make no difference.
  static let dockerLog = FuzzTarget("docker-log", words: [[1, 0, 0, 0, 0, 0, 0, 4], [2, 0, 0, 0], [0x0a]]) { input in
    func decode(_ pieces: [[UInt8]]) -> [UInt8] {
      var decoder = LogFrameDecoder()
      return pieces.flatMap { Array(buffer: decoder.feed(ByteBuffer(bytes: $0))) }
    }
    let cut = decode(pieces(input))
    precondition(cut == decode([Array(input.dropFirst())]), "cuts change what is read")
    precondition(cut.count <= input.count)
    var tail = TextTail(limit: 100)
    tail.append(ByteBuffer(bytes: cut))
    precondition(tail.lines(last: 5).count <= 5)
  }

  /// A stream of JSON lines, cut by the first byte of the input. Cuts must make no difference.
  static let dockerLines = FuzzTarget("docker-lines", words: ["\n", "\r\n", "{\"error\":\"", "\"}\n"]) { input in
    func split(_ pieces: [[UInt8]]) -> [ByteBuffer]? {
      var splitter = LineSplitter(limit: 256)
      do throws(DockerError) {
        var lines: [ByteBuffer] = []
        for piece in pieces { lines += try splitter.feed(ByteBuffer(bytes: piece)) }
        if let rest = splitter.finish() { lines.append(rest) }
        return lines
      } catch {
        return nil
      }
    }
    // Whether a line is too long is judged when bytes arrive, so only inputs that pass both ways can be compared.
    guard let cut = split(pieces(input)), let whole = split([Array(input.dropFirst())]) else { return }
    precondition(cut == whole, "cuts change what is read")
    for line in whole { _ = PullFailure.classify(String(buffer: line)) }
  }
}
