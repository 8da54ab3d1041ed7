import Crypto
import PonosCore

/// Hash over what a record was written with, stored beside it, so that what a disk hands back changed is noticed before anybody
/// relies on it.
///
/// SHA-256 cut to 16 bytes. It has no key: it guards against disks and file systems, not against whoever may write to the file.
struct RecordSeal {
  /// Length of a seal in bytes.
  static let count = 16

  /// What a seal is of, so that one record's seal never fits another kind of record.
  enum Kind: UInt8 {
    case acceptance = 1
    case submission = 2
    case output = 3
    case result = 4
    case failure = 5
    case digest = 6
    case performer = 7
    case installation = 8
  }

  /// Up to this size a field is gathered with its neighbours; larger ones go to the hash as they lie.
  private static let gathered = 256

  private var hash = SHA256()
  private var pending: [UInt8] = []

  private init(_ kind: Kind) {
    pending.reserveCapacity(Self.gathered)
    pending.append(kind.rawValue)
  }

  /// The seal of `kind` over the fields that `add` puts in, in their order.
  static func make(_ kind: Kind, _ add: (inout RecordSeal) -> Void) -> [UInt8] {
    var seal = RecordSeal(kind)
    add(&seal)
    return seal.finish()
  }

  /// Takes in a field, preceded by its length.
  mutating func add(_ bytes: [UInt8]) {
    add(Int64(bytes.count))
    guard bytes.count > Self.gathered else { return pending.append(contentsOf: bytes) }
    flush()
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
  }

  mutating func add(_ value: some FixedBytes) { add(value.bytes) }
  mutating func add(_ text: String) { add(Array(text.utf8)) }

  mutating func add(_ number: Int64) {
    withUnsafeBytes(of: number.littleEndian) { pending.append(contentsOf: $0) }
  }

  /// Takes in a field that may be absent; absent and empty differ.
  mutating func add(_ text: String?) {
    pending.append(text == nil ? 0 : 1)
    if let text { add(text) }
  }

  private mutating func flush() {
    pending.withUnsafeBytes { hash.update(bufferPointer: $0) }
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func finish() -> [UInt8] {
    flush()
    return hash.finalize().withUnsafeBytes { Array($0.prefix(Self.count)) }
  }
}

/// The seal of each kind of record: which of its columns count.
///
/// How far a task has come (phase, attempts, performer) is not sealed: it changes with each step, and damage to it shows as a
/// phase that does not fit the rest of the row, or costs a run.
enum RecordSeals {
  static func acceptance(of task: AcceptedTaskRecord) -> [UInt8] {
    RecordSeal.make(.acceptance) { seal in
      seal.add(task.id)
      seal.add(task.contentHash)
      seal.add(task.operatorSet.avs)
      seal.add(Int64(task.operatorSet.id))
      seal.add(task.aggregator)
      seal.add(Int64(task.priority))
      seal.add(task.acceptedAt)
      seal.add(task.deadline)
    }
  }

  static func submission(_ bytes: [UInt8], of id: TaskID) -> [UInt8] {
    RecordSeal.make(.submission) { seal in
      seal.add(id)
      seal.add(bytes)
    }
  }

  static func output(_ bytes: [UInt8], of id: TaskID) -> [UInt8] {
    RecordSeal.make(.output) { seal in
      seal.add(id)
      seal.add(bytes)
    }
  }

  static func result(_ bytes: [UInt8], at time: UnixMilliseconds, of id: TaskID) -> [UInt8] {
    RecordSeal.make(.result) { seal in
      seal.add(id)
      seal.add(time)
      seal.add(bytes)
    }
  }

  static func failure(_ failure: StoredFailure, at time: UnixMilliseconds, of id: TaskID) -> [UInt8] {
    RecordSeal.make(.failure) { seal in
      seal.add(id)
      seal.add(time)
      seal.add(failure.code)
      seal.add(failure.message)
    }
  }

  static func digest(_ record: SignedDigestRecord) -> [UInt8] {
    RecordSeal.make(.digest) { seal in
      seal.add(record.taskID)
      seal.add(record.operatorSet.avs)
      seal.add(Int64(record.operatorSet.id))
      seal.add(record.curve.rawValue)
      seal.add(record.digest)
      seal.add(record.recordedAt)
    }
  }

  /// - Parameter spec: The performer's spec as it is stored.
  static func performer(_ performer: PerformerRecord, spec: String) -> [UInt8] {
    RecordSeal.make(.performer) { seal in
      seal.add(performer.id)
      seal.add(spec)
      seal.add(performer.origin.rawValue)
      seal.add(performer.role.rawValue)
      seal.add(performer.deploymentID)
      seal.add(Int64(performer.generation))
      seal.add(performer.containerID)
      seal.add(performer.imageID)
      seal.add(performer.createdAt)
      seal.add(Int64(performer.replica))
    }
  }

  static func installation(id: String) -> [UInt8] {
    RecordSeal.make(.installation) { $0.add(id) }
  }
}
