import PonosCore

/// The contract in which tasks are created and their results are verified. It knows the tasks of its own chain only.
package struct TaskMailbox: Sendable {
  package let address: EthereumAddress

  package init(address: EthereumAddress) {
    self.address = address
  }

  /// How far the task is, as of the block read: `expired` depends on that block's time.
  package func status(of task: TaskID) -> ContractCall<MailboxTaskStatus> {
    ContractCall(call("getTaskStatus", task)) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let status = try reader.enumeration(MailboxTaskStatus.self)
      try reader.finish()
      return status
    }
  }

  /// Everything the mailbox keeps of the task; nil when it does not know it.
  package func info(of task: TaskID) -> ContractCall<MailboxTask?> {
    ContractCall(call("getTaskInfo", task)) { (bytes) throws(ABIError) in
      var reader = try ABIReader(bytes)
      let task = try MailboxTask(&reader)
      try reader.finish()
      return task.status == .none ? nil : task
    }
  }

  private func call(_ function: String, _ task: TaskID) -> ViewCall {
    var data = CallData("\(function)(bytes32)")
    data.append(task)
    return ViewCall(contract: address, data: data.bytes, name: "TaskMailbox.\(function)")
  }
}

/// `TaskStatus` of the contract.
package enum MailboxTaskStatus: UInt8, Hashable, Sendable {
  /// The mailbox does not know the task. It may be of another chain.
  case none
  case created
  /// Its result has been verified: it is finished.
  case verified
  case expired
}
