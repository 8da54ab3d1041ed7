import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  @Suite("Round trips", .daemon(.roundTrips))
  struct RoundTripTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test(
      "a signed task comes back as a signed result",
      arguments: SignatureCurve.allCases, SignatureCurve.allCases)
    func signedTaskComesBackAsSignedResult(aggregator: SignatureCurve, executor: SignatureCurve) async throws {
      for (payload, square) in [("0x04", "0x10"), ("ff", "0xfe01"), ("0x00", "0x00")] {
        let submission = try daemon.submission(payload, set: executor, by: .registered(aggregator))
        #expect(submission.signature.count == (aggregator == .ecdsa ? 65 : 64))
        let result = try await daemon.submit(submission)
        try daemon.check(result, for: submission)
        #expect(String(decoding: result.output, as: UTF8.self) == square)
        #expect(result.resultSignature.count == (executor == .ecdsa ? 65 : 64))
        #expect(result.authSignature.count == result.resultSignature.count)
      }
    }

    @Test("the id comes back to the letter, and addresses may be written in any case")
    func idComesBackToLetter() async throws {
      var submission = try daemon.submission("0x03")
      submission.taskID = "0x" + submission.taskID.dropFirst(2).uppercased()
      submission.avsAddress = "0x" + submission.avsAddress.dropFirst(2).uppercased()
      submission.executorAddress = "0x" + submission.executorAddress.dropFirst(2).uppercased()
      submission.aggregatorAddress = "0x" + submission.aggregatorAddress.dropFirst(2).uppercased()
      let result = try await daemon.submit(submission)
      try daemon.check(result, for: submission)
      #expect(result.taskID == submission.taskID)
    }

    @Test(
      "payload and output of any bytes and almost any size go through, empty ones too", arguments: [0, 1, 31, 32, 33, 1_500_000])
    func payloadAndOutputOfAnyBytesAndAlmostAnySizeGo(count: Int) async throws {
      var draft = daemon.draft("", avs: daemon.configuration.avs[1].address, set: .bn254)
      draft.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
      let submission = try TestAggregator.registered(.bn254).sign(draft)
      let result = try await daemon.submit(submission)
      try daemon.check(result, for: submission)
      #expect(Array(result.output) == draft.payload)
    }

    @Test("a request of just under 4 MiB is read")
    func requestOfJustUnder4MiBIsRead() async throws {
      var draft = daemon.draft("", avs: daemon.configuration.avs[1].address)
      draft.payload = [UInt8](repeating: 0x2e, count: (4 << 20) - 1024)
      let submission = try TestAggregator.registered(.ecdsa).sign(draft)
      // The performer answers it as it is, which is more than any aggregator takes.
      let error = try await daemon.refusal(of: submission)
      #expect(error.ponosCode == "output_too_large")
    }

    @Test("forty tasks at once on two AVSs are all answered")
    func fortyTasksAtOnceOnTwoAVSsAreAllAnswered() async throws {
      let daemon = daemon
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...20 {
          for avs in daemon.configuration.avs {
            let submission = try daemon.submission(
              "0x\(number % 10)0", avs: avs.address, set: number.isMultiple(of: 2) ? .ecdsa : .bn254)
            group.addTask { _ = try await daemon.answer(to: submission) }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}

extension DaemonConfiguration {
  /// The public example performer, and one that answers what it is given.
  fileprivate static var roundTrips: DaemonConfiguration {
    DaemonConfiguration(AVS(image: Images.square), .scripted())
  }
}
