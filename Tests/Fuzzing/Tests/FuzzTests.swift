import Foundation
import PonosFuzzing
import PonosTesting
import Testing

/// Every reader of bytes from outside, with the inputs of its corpus and with mutations of them.
///
/// A run that fails crashes the process. The same `FUZZ_SEED` makes the same inputs, so `FUZZ_RUNS` narrows down which it was.
/// `scripts/fuzz.sh` searches with libFuzzer, guided by coverage.
@Suite("Fuzzing", .serialized)
struct FuzzTests {
  /// Mutations for each reader.
  private static var runs: Int { ProofSize.of(100_000, variable: "FUZZ_RUNS") }
  private static var seed: UInt64 { ProofSize.number("FUZZ_SEED", as: UInt64.self) ?? 1 }

  /// Mutations are made and run in so many lines side by side, each with dice of its own.
  private static let lines = 4

  @Test("no bytes bring a reader down", arguments: FuzzTarget.all.map(\.name))
  func noBytesBringReaderDown(name: String) async throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let corpus = try Self.corpus(of: target)
    let start = ContinuousClock.now
    for input in corpus { target.run(input) }
    let runs = max(Self.lines, Self.runs)
    await withTaskGroup(of: Void.self) { group in
      for line in 0..<Self.lines {
        group.addTask {
          var mutator = Mutator(corpus: corpus, words: target.words, seed: Self.seed &* UInt64(Self.lines) &+ UInt64(line))
          for _ in 0..<runs / Self.lines { target.run(mutator.next()) }
        }
      }
    }
    print("\(name): \(corpus.count) inputs kept, \(runs) made, \(ContinuousClock.now - start)")
  }

  /// The inputs kept for a reader, in the order of their names; there has to be one.
  private static func corpus(of target: FuzzTarget) throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Corpus/\(target.name)").standardized
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    let inputs = try files.sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    return try #require(inputs.isEmpty ? nil : inputs, "\(folder.path) has no inputs")
  }
}
