import ArgumentParser
import Foundation
import PonosChain
import PonosCore
import PonosExecutor

/// `chain task ID`.
struct ChainTaskCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task", abstract: "Shows what the task mailbox has of a task.",
    discussion: """
      Exits with 1 when the mailbox does not know the task, or it is finished or expired.

      EXAMPLES
        ponos-executor chain task 0xd42f42c5d833d19f0885aa7bae4e510047def1758c64d4fc626d5ef740c21885 -o json
      """)

  @Argument(help: ArgumentHelp("Id of the task.", valueName: "id"))
  var task: TaskID

  @OptionGroup var chain: ChainOptions
  @OptionGroup var format: OutputOptions

  private struct Report: Encodable {
    var id: TaskID
    var status: String
    var avs: EthereumAddress?
    var operatorSetID: UInt32?
    var curve: SignatureCurve?
    var creator: EthereumAddress?
    /// Unix seconds.
    var created: UInt64?
    var deadline: UInt64?
    var referenceTimestamp: UInt32?
    var payload: String?
  }

  func run() async throws {
    let (config, access) = try await chain.open()
    let found: MailboxTask?
    do throws(Rejection) {
      found = try await ChainInspector(access, config: config, keys: nil).task(task)
    } catch {
      throw CommandFailure(error.message)
    }
    let report = Report(
      id: task, status: found.map { "\($0.status)" } ?? "unknown", avs: found?.executorSet.avs,
      operatorSetID: found?.executorSet.id, curve: found?.curve, creator: found?.creator, created: found?.creationTime,
      deadline: found?.deadline, referenceTimestamp: found?.referenceTimestamp,
      payload: found.map { Hex.encodePrefixed($0.payload) })
    switch format.output {
    case .json: try Console.print(json: report)
    case .table: try print(report)
    }
    if found?.status != .created { throw ChainCommand.wouldBeRefused }
  }

  private func print(_ report: Report) throws {
    try Console.print("task \(report.id): \(report.status)")
    guard let avs = report.avs, let set = report.operatorSetID, let deadline = report.deadline else { return }
    try Console.print("  AVS \(avs), operator set \(set) (\(report.curve?.rawValue ?? "no curve"))")
    let left = Int(deadline) - Int(Date().timeIntervalSince1970)
    try Console.print("  \(left < 0 ? "its time ended \(-left) s ago" : "its time ends in \(left) s")")
    try Console.print("  payload \(report.payload?.prefix(66) ?? "")\((report.payload?.count ?? 0) > 66 ? "…" : "")")
  }
}
