import PonosCore
import Testing

@Suite("Batching")
struct BatchingStateMachineTests {
  typealias Batches = BatchingStateMachine<Int>

  @Test("a lone item goes at once; what comes meanwhile goes together, in order")
  func loneItemGoesAtOnce() {
    var batches = Batches(.init(batchWeight: 64, workers: 4))
    #expect(batches.arrive(1, weight: 1) == [[1]])
    for item in 2...5 { #expect(batches.arrive(item, weight: 1).isEmpty) }
    #expect(batches.waitingCount == 4)
    #expect(batches.finish(foundBad: false) == [[2, 3, 4, 5]])
    #expect(batches.finish(foundBad: false).isEmpty)
    #expect(batches.isFresh)
    #expect(batches.arrive(6, weight: 1) == [[6]])
  }

  @Test("a batch is no heavier than allowed, unless a single item is")
  func batchIsNoHeavierThanAllowed() {
    var batches = Batches(.init(batchWeight: 4, workers: 1))
    #expect(batches.arrive(0, weight: 9) == [[0]])
    for (item, weight) in [(1, 2), (2, 2), (3, 1), (4, 9), (5, 4)] { #expect(batches.arrive(item, weight: weight).isEmpty) }
    #expect(batches.finish(foundBad: false) == [[1, 2]])
    #expect(batches.finish(foundBad: false) == [[3]])
    #expect(batches.finish(foundBad: false) == [[4]])
    #expect(batches.finish(foundBad: false) == [[5]])
    #expect(batches.finish(foundBad: false).isEmpty)
  }

  @Test("bad items halve the batches and set more workers to it, good ones double them until all is as before")
  func badItemsHalveBatchesAndSetMoreWorkersToIt() {
    var batches = Batches(.init(batchWeight: 8, workers: 3))
    #expect(batches.arrive(0, weight: 1) == [[0]])
    for item in 1...20 { _ = batches.arrive(item, weight: 1) }
    // Two idle workers join the one that found the bad item.
    #expect(batches.finish(foundBad: true) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    #expect(batches.finish(foundBad: true) == [[13, 14]])
    #expect(batches.finish(foundBad: true) == [[15]])
    #expect(batches.finish(foundBad: true) == [[16]])
    #expect(batches.finish(foundBad: false) == [[17, 18]])
    #expect(batches.finish(foundBad: false) == [[19, 20]])
    #expect(!batches.isFresh)
    for _ in 0..<3 { #expect(batches.finish(foundBad: false).isEmpty) }
    #expect(batches.isFresh)
  }

  @Test("whatever comes in whatever order: every item once, in order, no batch too heavy, no more workers than there are")
  func whateverComesInWhateverOrder() {
    for _ in 0..<200 {
      let settings = Batches.Settings(batchWeight: .random(in: 1...16), workers: .random(in: 1...4))
      var batches = Batches(settings)
      var (next, running) = (0, 0)
      var (weights, begun): ([Int], [Int]) = ([], [])
      func note(_ new: [[Int]]) {
        for batch in new {
          #expect(batch.count == 1 || batch.reduce(0) { $0 + weights[$1] } <= settings.batchWeight)
          begun += batch
        }
        running += new.count
        #expect(running <= settings.workers)
      }
      for _ in 0..<300 {
        if running == 0 || Bool.random() {
          weights.append(.random(in: 1...3))
          note(batches.arrive(next, weight: weights[next]))
          next += 1
        } else {
          running -= 1
          note(batches.finish(foundBad: Int.random(in: 0..<4) == 0))
        }
        #expect(running > 0 || batches.waitingCount == 0, "something waits for nothing")
      }
      while running > 0 {
        running -= 1
        note(batches.finish(foundBad: false))
      }
      #expect(begun == Array(0..<next))
    }
  }
}
