import PonosChain
import PonosCore

/// Asks the task mailbox whether a submitted task is one of its own.
package struct TaskMailboxCheck: Sendable {
  /// A node that has not seen the block of a task yet does not know the task: it is asked again so often, with this pause.
  private static let attempts = 3
  private static let pause = Duration.milliseconds(700)

  private let pool: EndpointPool
  private let mailbox: TaskMailbox
  private let agreement: Int
  private let checks: [EthereumAddress: TaskCheck]

  /// - Parameter checks: By AVS; those not named are not checked.
  package init(pool: EndpointPool, mailbox: EthereumAddress, agreement: Int, checks: [EthereumAddress: TaskCheck]) {
    self.pool = pool
    self.mailbox = TaskMailbox(address: mailbox)
    self.agreement = agreement
    self.checks = checks
  }

  /// Returns the deadline that the mailbox gives the task, where the AVS wants it kept.
  package func check(_ submission: TaskSubmission) async throws(Rejection) -> UnixMilliseconds? {
    switch checks[submission.operatorSet.avs] ?? .none {
    case .none: return nil
    case .exists:
      try Self.judge(try await status(of: submission.id), submission.id)
      return nil
    case .full:
      guard let task = try await info(of: submission.id) else { throw .chain(.taskUnknown(submission.id)) }
      try Self.judge(task.status, submission.id)
      try Self.compare(task, with: submission)
      // The SLA's last second still counts.
      let end = task.deadline.addingReportingOverflow(1)
      return end.overflow ? .max : UnixMilliseconds(clamping: end.partialValue.multipliedReportingOverflow(by: 1000).partialValue)
    }
  }

  /// What the mailbox has of a task; nil when it does not know it.
  package func info(of id: TaskID) async throws(Rejection) -> MailboxTask? {
    for attempt in 1...Self.attempts {
      if let task = try await read(mailbox.info(of: id)) { return task }
      if attempt < Self.attempts { await rest() }
    }
    return nil
  }

  private func status(of id: TaskID) async throws(Rejection) -> MailboxTaskStatus {
    for attempt in 1...Self.attempts {
      let status = try await read(mailbox.status(of: id))
      if status != .none { return status }
      if attempt < Self.attempts { await rest() }
    }
    return .none
  }

  private static func judge(_ status: MailboxTaskStatus, _ id: TaskID) throws(Rejection) {
    switch status {
    case .created: return
    case .none: throw .chain(.taskUnknown(id))
    case .verified: throw .chain(.taskFinished(id))
    case .expired: throw .chain(.taskExpired(id))
    }
  }

  private static func compare(_ task: MailboxTask, with submission: TaskSubmission) throws(Rejection) {
    func check(_ field: String, _ isSame: Bool) throws(Rejection) {
      if !isSame { throw .chain(.taskDiffers(submission.id, field: field)) }
    }
    try check("avs_address", task.executorSet.avs == submission.operatorSet.avs)
    try check("operator_set_id", task.executorSet.id == submission.operatorSet.id)
    try check("payload", task.payload == submission.payload)
    try check("reference_timestamp", task.referenceTimestamp == submission.referenceTimestamp)
  }

  private func read<Answer>(_ call: ContractCall<Answer>) async throws(Rejection) -> Answer {
    let results: [RPCResult]
    do throws(ChainError) { results = try await pool.read([.call(call.view, at: .latest)], needed: agreement) } catch {
      throw .chain(.unavailable(problem: error.code.rawValue))
    }
    guard case .call(let outcome)? = results.first else { throw .chain(.unavailable(problem: "the mailbox gave no answer")) }
    do throws(ContractError) { return try call.answer(outcome) } catch {
      throw .chain(.unavailable(problem: error.description))
    }
  }

  /// A cancelled caller asks again at once, and is told so by the endpoints' side.
  private func rest() async {
    do { try await Task.sleep(for: Self.pause) } catch {}
  }
}
