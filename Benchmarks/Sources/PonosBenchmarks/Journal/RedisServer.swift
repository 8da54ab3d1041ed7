import Foundation

/// A Redis of our own that synchronizes its append-only file before it answers.
final class RedisServer {
  let process: ChildProcess
  private let port: Int

  /// Starts it; returns when it answers.
  init(in workspace: Workspace) throws {
    let directory = workspace.path("redis")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    port = try LoopbackPort.free()
    process = try ChildProcess(
      URL(fileURLWithPath: "/usr/bin/redis-server"),
      [
        "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--appendonly", "yes", "--appendfsync", "always",
        "--save", "",
      ], log: workspace.path("redis.log"))
    let limit = Clock.now + 20
    while true {
      do {
        _ = try client(recordBytes: 1)
        return
      } catch {
        guard process.isRunning, Clock.now < limit else {
          throw SystemFailure("start Redis", reason: "\(error)\n\(process.tail())")
        }
        usleep(50_000)
      }
    }
  }

  /// A connection with one command under way at a time.
  func client(recordBytes: Int) throws -> RedisClient {
    try RedisClient(port: port, recordBytes: recordBytes)
  }
}

/// A connection to Redis that blocks its thread.
final class RedisClient: @unchecked Sendable {
  // Unchecked: each client is used by one thread at a time.
  private let descriptor: Int32
  private let record: [UInt8]

  init(port: Int, recordBytes: Int) throws {
    record = [UInt8](repeating: 0x5a, count: recordBytes)
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemFailure("open a socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let result = withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      let failure = SystemFailure("connect to Redis")
      close(descriptor)
      throw failure
    }
  }

  deinit { close(descriptor) }

  /// Stores the record under a new key of 32 bytes, and waits for the answer.
  func append() throws {
    let key = UniqueID.next()
    var command = Array("*3\r\n$3\r\nSET\r\n$\(key.count)\r\n".utf8)
    command += key
    command += Array("\r\n$\(record.count)\r\n".utf8)
    command += record
    command += Array("\r\n".utf8)
    guard send(descriptor, command, command.count, Int32(MSG_NOSIGNAL)) == command.count else {
      throw SystemFailure("write to Redis")
    }
    var answer = [UInt8](repeating: 0, count: 64)
    var length = 0
    while !answer[..<length].contains(UInt8(ascii: "\n")) {
      let count = recv(descriptor, &answer[length], answer.count - length, 0)
      guard count > 0 else { throw SystemFailure("read from Redis") }
      length += count
    }
    guard answer.starts(with: Array("+OK".utf8)) else {
      throw SystemFailure("store in Redis", reason: String(decoding: answer[..<length], as: UTF8.self))
    }
  }
}
