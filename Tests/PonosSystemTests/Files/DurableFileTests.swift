import Foundation
import PonosTesting
import SystemPackage
import Testing

@testable import PonosSystem

/// New files: whole and private under their name, or not there.
@Suite struct DurableFileTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func aWholeFileIsWrittenForItsOwnerAlone() throws {
    let path = directory.file("key.json")
    try DurableFile.write(Array("secret".utf8), to: path)
    #expect(try BoundedFile.read(path, maximum: 100) == Array("secret".utf8))
    #expect(try mode(path) == 0o600)
    #expect(try entries() == ["key.json"])
  }

  @Test func theNameAppearsWithTheCommitOnly() throws {
    let file = try DurableFile(directory.file("export.json"))
    try file.append(Array("one ".utf8))
    try file.append(Array("two".utf8))
    #expect(try entries() == [".export.json.\(getpid()).partial"])
    #expect(try mode(file.partial) == 0o600)
    try file.commit()
    #expect(try entries() == ["export.json"])
    #expect(try BoundedFile.read(file.path, maximum: 100) == Array("one two".utf8))
  }

  @Test func whatIsDiscardedLeavesNothing() throws {
    let file = try DurableFile(directory.file("export.json"))
    try file.append(Array("half".utf8))
    file.discard()
    #expect(try entries() == [])
  }

  @Test func anExistingFileIsNotReplaced() throws {
    let path = directory.file("key.json")
    try Data("first".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError(.make, path, .fileExists)) { try DurableFile.write(Array("second".utf8), to: path) }
    #expect(try BoundedFile.read(path, maximum: 100) == Array("first".utf8))
    #expect(try entries() == ["key.json"])
  }

  @Test func aFileThatComesMeanwhileIsNotReplaced() throws {
    let file = try DurableFile(directory.file("key.json"))
    try Data("other".utf8).write(to: URL(fileURLWithPath: file.path))
    let error = #expect(throws: FileError.self) { try file.commit() }
    #expect(error?.isTaken == true)
    #expect(try BoundedFile.read(file.path, maximum: 100) == Array("other".utf8))
  }

  @Test func aLinkThatLeadsNowhereIsNotFollowed() throws {
    let (path, target) = (directory.file("key.json"), directory.file("elsewhere"))
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    let error = #expect(throws: FileError.self) { try DurableFile.write([1], to: path) }
    #expect(error?.isTaken == true)
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func whatAnEarlierProcessOfTheSameNumberLeftIsOverwritten() throws {
    try Data("left behind".utf8).write(to: URL(fileURLWithPath: directory.file(".a.\(getpid()).partial")))
    try DurableFile.write([7], to: directory.file("a"))
    #expect(try BoundedFile.read(directory.file("a"), maximum: 100) == [7])
  }

  @Test func aMissingDirectoryIsNamed() throws {
    let path = directory.file("none/key.json")
    let error = #expect(throws: FileError.self) { try DurableFile.write([1], to: path) }
    #expect(error?.message == "could not make \(path): No such file or directory")
    #expect(error?.isTaken == false && error?.isDiskFull == false)
  }

  @Test(arguments: ["", "/"]) func aPathWithoutANameIsRefused(path: String) {
    #expect(throws: FileError.self) { try DurableFile(path) }
  }

  @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs")) func aFullDiskIsToldAndLeavesNothing() throws {
    let disk = try SmallDisk(at: directory.file("disk"), bytes: 64 << 10)
    let path = disk.path + "/key.json"
    let error = #expect(throws: FileError.self) { try DurableFile.write([UInt8](repeating: 1, count: 1 << 20), to: path) }
    #expect(error?.isDiskFull == true)
    #expect(error?.message == "could not write \(path): No space left on device")
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == [])
    try DurableFile.write([1], to: path)
  }

  @Test func accessOfOthersIsTakenAway() throws {
    let path = directory.file("store.sqlite")
    try DurableFile.makePrivate(path)
    #expect(try mode(path) == 0o600)
    try Data("kept".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    try DurableFile.makePrivate(path)
    try DurableFile.synchronizeDirectory(of: path)
    #expect(try mode(path) == 0o600)
    #expect(try BoundedFile.read(path, maximum: 100) == Array("kept".utf8))
  }

  @Test(arguments: [
    (".a.db.17.partial", "a.db"), (".a.partial.17.partial-journal", "a.partial"), ("a.db.17.partial", nil),
    (".a.db.partial", nil),
    (".a.db.x.partial", nil), (".a.db.17", nil),
  ])
  func partialsAreKnownByTheirNames(entry: String, name: String?) {
    #expect(DurableFile.name(ofPartial: entry) == name)
  }
}
