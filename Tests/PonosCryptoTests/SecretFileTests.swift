import Foundation
import Glibc
import PonosSystem
import Testing

@testable import PonosCrypto

/// Files with secrets, and files in general, read with a bound.
@Suite struct SecretFileTests {
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path))
  }

  @Test(arguments: [
    ("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw"), ("pw\r\n\r\n\n", "pw"), (" p w \n", " p w "),
    ("first\nsecond\n", "first\nsecond"), ("\n", ""), ("", ""),
  ])
  func lineBreaksAtTheEndDoNotCount(content: String, expected: String) throws {
    try withDirectory { directory in
      try write(Array(content.utf8), to: directory + "/secret")
      #expect(try SecretBytes(file: directory + "/secret") == SecretBytes(text: expected))
    }
  }

  @Test func bytesThatAreNoTextAreKept() throws {
    try withDirectory { directory in
      try write([0xff, 0x00, 0x80, 0x0a], to: directory + "/secret")
      #expect(try SecretBytes(file: directory + "/secret") == SecretBytes(copying: [0xff, 0x00, 0x80]))
    }
  }

  @Test func sizesAreBounded() throws {
    try withDirectory { directory in
      let path = directory + "/secret"
      try write([UInt8](repeating: 7, count: SecretBytes.maximumFileSize), to: path)
      #expect(try SecretBytes(file: path).count == SecretBytes.maximumFileSize)
      try write([UInt8](repeating: 7, count: SecretBytes.maximumFileSize + 1), to: path)
      expectError(BoundedFile.ReadError.self, where: { $0 == .tooLarge(maximum: SecretBytes.maximumFileSize) }) {
        _ = try SecretBytes(file: path)
      }
      expectError(BoundedFile.ReadError.self, where: { $0 == .tooLarge(maximum: 100) }) {
        _ = try BoundedFile.read(path, maximum: 100)
      }
      expectError(BoundedFile.ReadError.self, where: { $0 == .tooLarge(maximum: SecretBytes.maximumFileSize) }) {
        _ = try SecretBytes(file: "/dev/zero")
      }
    }
  }

  @Test func errorsNameTheCauseAndNothingElse() throws {
    try withDirectory { directory in
      expectError(BoundedFile.ReadError.self, where: { $0 == .missing }) { _ = try SecretBytes(file: directory + "/none") }
      expectError(BoundedFile.ReadError.self, where: { $0 == .directory }) { _ = try SecretBytes(file: directory) }
    }
  }

  /// Neither waits for a writer of a pipe nor reads a device for ever.
  @Test(.timeLimit(.minutes(1))) func onlyRegularFilesWhereAskedFor() throws {
    try withDirectory { directory in
      let pipe = directory + "/pipe"
      try #require(mkfifo(pipe, 0o600) == 0)
      for path in [pipe, "/dev/zero"] {
        expectError(BoundedFile.ReadError.self, where: { $0 == .notRegular }) {
          _ = try BoundedFile.read(path, maximum: 100, regularOnly: true)
        }
      }
    }
  }

  @Test(arguments: [
    ("/etc/ponos/password", true), ("./password", true), ("keys/bls.hex", true), ("hunter2", false), ("password.txt", false),
    ("0x" + String(repeating: "3", count: 64), false), (String(repeating: "a", count: 64), false),
    ("https://rpc.test/v1/key", false), ("", false),
  ])
  func namesThatMayBeSecretsAreNotShown(path: String, isShown: Bool) {
    #expect(BoundedFile.displayName(ofSecret: path) == (isShown ? path : nil))
  }

  @Test(arguments: [
    ("/etc/ponos/ecdsa.json", true), ("ecdsa.json", true), ("deadbeef", true),
    ("0x" + String(repeating: "3", count: 64), false), ("{\"crypto\": {}}", false),
  ])
  func keystoresThatAreNoPathsAreNotShown(path: String, isShown: Bool) {
    #expect((BoundedFile.displayName(ofKeystore: path) == path) == isShown)
  }
}
