import PonosCore
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Performer mailbox")
struct PerformerMailboxTests {
  @Test("holds one message of each kind, the most pressing first, and retirement for ever")
  func holdsOneMessageOfEachKind() async {
    let box = PerformerMailbox()
    box.post(.probed(.serving))
    box.post(.probed(.notServing("x")))
    box.post(.hung(runs: 3))
    box.post(.ended(containerID: "c", reason: "r"))
    #expect(await box.next() == .ended(containerID: "c", reason: "r"))
    #expect(await box.next() == .hung(runs: 3))
    #expect(await box.next() == .probed(.notServing("x")))
    box.post(.retire)
    box.post(.probed(.serving))
    #expect(await box.next() == .retire)
    #expect(await box.next() == .retire)
  }

  @Test("forgets what was seen of an earlier container, and nothing else")
  func forgetsWhatWasSeenOfEarlierContainer() async {
    let box = PerformerMailbox()
    box.post(.probed(.notServing("late")))
    box.post(.hung(runs: 3))
    box.post(.ended(containerID: "new", reason: "r"))
    box.forgetObservations()
    box.post(.probed(.serving))
    #expect(await box.next() == .ended(containerID: "new", reason: "r"))
    #expect(await box.next() == .probed(.serving))
  }

  @Test("lets a cancelled reader go and loses nothing to it")
  func letsCancelledReaderGoAndLosesNothingToIt() async throws {
    let box = PerformerMailbox()
    for _ in 0..<200 {
      let received = await withTaskGroup(of: PerformerMailbox.Message?.self) { group in
        group.addTask { await box.next() }
        group.addTask {
          box.post(.probed(.serving))
          return nil
        }
        group.cancelAll()
        return await group.contains { $0 != nil }
      }
      if !received { #expect(await box.next() == .probed(.serving)) }
    }
  }

  @Test("keeps the end of a container for its supervisor, while a launch waits for retirement alone")
  func keepsEndOfContainerForWhoeverServesFromIt() async {
    let box = PerformerMailbox()
    let ended = PerformerMailbox.Message.ended(containerID: "new", reason: "r")
    for _ in 0..<100 {
      await withTaskGroup(of: Bool.self) { group in
        group.addTask { await box.untilRetiring() }
        box.post(ended)
        for _ in 0..<20 { await Task.yield() }
        group.cancelAll()
        #expect(await group.next() == false)
      }
      box.post(.probed(.serving))
      #expect(await box.next() == ended)
      #expect(await box.next() == .probed(.serving))
    }
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await box.untilRetiring() }
      box.post(ended)
      box.post(.retire)
      #expect(await group.next() == true)
    }
  }

  @Test("tells everyone who asked for retirement how it ended, before and after the end")
  func tellsEveryoneWhoAskedForRetirementHowItEnded() async throws {
    let box = PerformerMailbox()
    async let early = box.retire()
    #expect(await box.untilRetiring())
    box.close(.success(()))
    try await early.get()
    try await box.retire().get()
  }
}
