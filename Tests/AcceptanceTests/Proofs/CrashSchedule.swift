import PonosSystem
import PonosTesting

/// When a daemon is to be killed.
enum Kill: Sendable {
  /// By itself, at the pass of this number.
  case at(Failpoint, pass: Int)
  /// This long after its start.
  case afterLaunch(Duration)
  /// This long after it was ready.
  case afterReady(Duration)
}

/// What has to happen for a failpoint to be passed, besides the load that goes on all the time.
enum FailpointScenario: Sendable {
  /// Nothing: every start, or the load, passes it.
  case ordinary
  /// AVSs without a performer.
  case deployment
  /// The performer of the second AVS is removed.
  case removal
  /// The container of the second AVS dies with the tasks it has.
  case lostContainer
  /// SIGTERM.
  case stop
}

extension Failpoint {
  /// Total, so that a new failpoint has to say how it is passed.
  var scenario: FailpointScenario {
    switch self {
    case .intakeReceived, .intakeVerified, .intakeReserved, .intakeAnswered, .journalAccepted, .journalExecuting,
      .journalCollected, .journalSigned, .journalFail, .journalFailed, .commitApplied, .commitDurable, .commitTold,
      .runAssigned, .runReplied, .runCollected, .runReleased, .runSigned, .runDelivered, .runFailed, .runRecovered,
      .streamReceipted, .streamSent, .streamAcknowledged, .streamExpected, .startOpened, .startRead, .startRecovered,
      .performersRead, .choresExpiring, .choresExpired, .choresCompacted:
      .ordinary
    case .performersStaging, .performersStaged, .performersCreated, .performersRecorded, .performersConnecting,
      .performersPromoting, .performersPromoted:
      .deployment
    case .performersForgetting, .performersForgotten: .removal
    case .journalRequeue, .journalRequeued: .lostContainer
    case .stopIntake, .stopPorts, .stopTasks, .stopPerformers, .stopServices, .stopStore: .stop
    }
  }

  /// Passes of one process among which the dice choose.
  var passes: ClosedRange<Int> {
    switch self {
    case .commitApplied, .commitDurable, .commitTold: 1...30
    case .journalFail, .journalFailed, .runFailed, .runRecovered: 1...2
    case .streamReceipted, .streamSent, .streamAcknowledged, .streamExpected: 1...3
    case .intakeReceived, .intakeVerified, .intakeReserved, .intakeAnswered, .journalAccepted, .journalExecuting,
      .journalCollected, .journalSigned, .runAssigned, .runReplied, .runCollected, .runReleased, .runSigned, .runDelivered:
      1...12
    default: 1...1
    }
  }
}

/// The kills of a run: every failpoint once, and the rest at random moments.
struct CrashSchedule: Sendable {
  let kills: [Kill]

  /// - Parameter count: At least the number of failpoints, or those are too few to be called a proof.
  init(seed: UInt64, count: Int) {
    var dice = SeededGenerator(seed: seed)
    // While no AVS has a performer yet: a daemon killed in a deployment begins it anew.
    let deployments = Failpoint.allCases.filter { $0.scenario == .deployment }
    var rest = Failpoint.allCases.filter { $0.scenario != .deployment }
      .map { Kill.at($0, pass: Int.random(in: $0.passes, using: &dice)) }
    for _ in 0..<max(0, count - Failpoint.allCases.count) {
      let kill: Kill =
        Int.random(in: 0..<3, using: &dice) == 0
        ? .afterLaunch(.milliseconds(Int.random(in: 0...600, using: &dice)))
        : .afterReady(.milliseconds(Int.random(in: 0...300, using: &dice)))
      rest.append(kill)
    }
    kills = deployments.map { .at($0, pass: 1) } + rest.shuffled(using: &dice)
  }
}
