import PonosCore

/// A task's id and result as the task mailbox contract hashes them (`getMessageHash`).
package struct ResultMessage: Hashable, Sendable {
  package var taskID: TaskID
  /// The performer's output, unchanged.
  package var result: [UInt8]

  package init(taskID: TaskID, result: [UInt8]) {
    self.taskID = taskID
    self.result = result
  }

  /// `abi.encode(bytes32,bytes)`: id, offset 0x40, length, and the result padded with zeros to whole words.
  package var preimage: [UInt8] {
    let padding = (32 - result.count % 32) % 32
    var bytes = taskID.bytes + ABIWord.encode(0x40 as UInt64) + ABIWord.encode(UInt64(result.count))
    bytes.append(contentsOf: result)
    bytes.append(contentsOf: repeatElement(0, count: padding))
    return bytes
  }

  /// The message hash that certificates are made over.
  package var digest: Digest32 { Keccak256.hash(preimage) }
}
