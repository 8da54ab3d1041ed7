import GRPCCore
import PonosDocker
import Testing

@testable import PonosContainers
@testable import PonosExecutor

@Suite("Status messages")
struct StatusMessageTests {
  @Test("tell the error and the log behind it")
  func tellErrorAndLogBehindIt() {
    #expect(StatusMessage.text("It failed.", log: []) == "It failed.")
    #expect(StatusMessage.text("It failed.", log: ["one", "two"]) == "It failed.; its last log lines: one | two")
  }

  @Test(
    "stay below what clients accept, whatever a container wrote; the oldest lines go first",
    arguments: ["x", "%", "€", "\u{1F600}"])
  func stayBelowWhatClientsAccept(character: String) throws {
    let log = (0..<20).map { "line \($0) " + String(repeating: character, count: 390 / character.utf8.count) }
    let error = RPCError(DeploymentError(.performerExited, "The container ended with exit code 3.", logTail: log))
    #expect(StatusMessage.encodedSize(error.message) <= 4096)
    #expect(error.message.hasPrefix("The container ended with exit code 3.; its last log lines: line "))
    #expect(error.message.contains("line 19 ") && !error.message.contains("line 0 "))
    #expect(error.message.hasSuffix(try #require(log.last)))
  }

  @Test("cut an error that is itself too long")
  func cutErrorThatIsItselfTooLong() {
    let error = RPCError(DeploymentError(.imageNotFound, String(repeating: "ü", count: 10_000), logTail: ["last words"]))
    #expect(StatusMessage.encodedSize(error.message) <= 4096)
    #expect(error.message.hasSuffix("…"))
  }

  @Test("count bytes as gRPC writes them")
  func countBytesAsGRPCWritesThem() {
    #expect(StatusMessage.encodedSize("a ~") == 3)
    #expect(StatusMessage.encodedSize("%\n€") == 3 + 3 + 9)
  }

  @Test("of a pull that failed for an unknown reason invite another attempt")
  func ofPullThatFailedForUnknownReasonInvite() {
    let error = DeploymentError(DockerError(.pullFailed, "x could not be transferred"))
    #expect(error.code == .imagePullFailed)
    #expect(RPCError(error).code == .unavailable)
  }
}
