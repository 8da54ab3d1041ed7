import Foundation
import GRDB
import PonosCore

/// The migration that gives every record its seal, and trial writes their place.
///
/// Records of earlier versions are sealed as they are found: what was damaged before cannot be told any more, except where it no
/// longer has the shape of its kind; such a record gets no seal and counts as damaged.
enum SealMigration {
  static func apply(_ database: Database) throws {
    try database.execute(
      sql: """
        ALTER TABLE installation ADD COLUMN seal BLOB;
        ALTER TABLE task ADD COLUMN seal BLOB;
        ALTER TABLE task ADD COLUMN outcome_seal BLOB;
        ALTER TABLE submission ADD COLUMN seal BLOB;
        ALTER TABLE signed_digest ADD COLUMN seal BLOB;
        ALTER TABLE performer ADD COLUMN seal BLOB;

        CREATE TABLE trial (
          singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
          bytes BLOB NOT NULL
        ) STRICT;
        """)
    for function in functions { database.add(function: function) }
    defer { for function in functions { database.remove(function: function) } }
    try database.execute(
      sql: """
        UPDATE installation SET seal = seal_installation(id);
        UPDATE task SET
          seal = seal_acceptance(id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline),
          outcome_seal = CASE phase
            WHEN 'collected' THEN seal_output(id, output)
            WHEN 'signed' THEN seal_result(id, result, finished_at)
            WHEN 'failed' THEN seal_failure(id, failure_code, failure_message, finished_at)
            END;
        UPDATE submission SET
          seal = (SELECT seal_submission(task.id, submission.bytes) FROM task WHERE task.sequence = submission.sequence);
        UPDATE signed_digest SET seal = seal_digest(task_id, avs, operator_set, curve, digest, recorded_at);
        UPDATE performer SET
          seal = seal_performer(id, spec, origin, role, deployment_id, generation, container_id, image_id, created_at, replica);
        """)
  }

  private static var functions: [DatabaseFunction] {
    [
      function("seal_installation", 1) { $0.text(0).map { RecordSeals.installation(id: $0) } },
      function("seal_acceptance", 8, acceptance),
      function("seal_output", 2) { values in
        guard let id: TaskID = values.fixed(0), let bytes = values.bytes(1) else { return nil }
        return RecordSeals.output(bytes, of: id)
      },
      function("seal_result", 3) { values in
        guard let id: TaskID = values.fixed(0), let bytes = values.bytes(1), let time = values.integer(2) else { return nil }
        return RecordSeals.result(bytes, at: time, of: id)
      },
      function("seal_failure", 4) { values in
        guard let id: TaskID = values.fixed(0), let code = values.text(1), let message = values.bytes(2),
          let time = values.integer(3)
        else { return nil }
        return RecordSeals.failure(
          StoredFailure(code: code, message: String(decoding: message, as: UTF8.self)), at: time, of: id)
      },
      function("seal_submission", 2) { values in
        guard let id: TaskID = values.fixed(0), let bytes = values.bytes(1) else { return nil }
        return RecordSeals.submission(bytes, of: id)
      },
      function("seal_digest", 6, digest),
      function("seal_performer", 10, performer),
    ]
  }

  private static func acceptance(_ values: Values) -> [UInt8]? {
    guard let id: TaskID = values.fixed(0), let hash: Digest32 = values.fixed(1), let avs: EthereumAddress = values.fixed(2),
      let set = values.integer(3).flatMap({ UInt32(exactly: $0) }), let aggregator: EthereumAddress = values.fixed(4),
      let priority = values.integer(5), let acceptedAt = values.integer(6), let deadline = values.integer(7)
    else { return nil }
    return RecordSeals.acceptance(
      of: AcceptedTaskRecord(
        id: id, contentHash: hash, submission: [], operatorSet: OperatorSet(avs: avs, id: set), aggregator: aggregator,
        priority: Int(priority), acceptedAt: acceptedAt, deadline: deadline))
  }

  private static func digest(_ values: Values) -> [UInt8]? {
    guard let id: TaskID = values.fixed(0), let avs: EthereumAddress = values.fixed(1),
      let set = values.integer(2).flatMap({ UInt32(exactly: $0) }),
      let curve = values.text(3).flatMap({ SignatureCurve(rawValue: $0) }), let digest: Digest32 = values.fixed(4),
      let time = values.integer(5)
    else { return nil }
    return RecordSeals.digest(
      SignedDigestRecord(
        taskID: id, operatorSet: OperatorSet(avs: avs, id: set), curve: curve, digest: digest, recordedAt: time))
  }

  private static func performer(_ values: Values) -> [UInt8]? {
    guard let id = values.text(0), let text = values.text(1),
      let origin = values.text(2).flatMap({ PerformerOrigin(rawValue: $0) }),
      let role = values.text(3).flatMap({ PerformerRecord.Role(rawValue: $0) }), let deployment = values.text(4),
      let generation = values.integer(5), let createdAt = values.integer(8), let replica = values.integer(9),
      let spec = try? JSONDecoder().decode(PerformerSpec.self, from: Data(text.utf8))
    else { return nil }
    return RecordSeals.performer(
      PerformerRecord(
        id: id, spec: spec, replica: Int(replica), origin: origin, role: role, deploymentID: deployment,
        generation: Int(generation), containerID: values.text(6), imageID: values.text(7), createdAt: createdAt),
      spec: text)
  }

  private static func function(
    _ name: String, _ count: Int, _ seal: @escaping @Sendable (Values) -> [UInt8]?
  ) -> DatabaseFunction {
    DatabaseFunction(name, argumentCount: count, pure: true) { values in seal(Values(values: values)).map { Data($0) } }
  }

  /// The arguments of an SQL function; nil where one is not of the type asked for.
  private struct Values {
    let values: [DatabaseValue]

    func integer(_ index: Int) -> Int64? {
      if case .int64(let number) = values[index].storage { number } else { nil }
    }

    func text(_ index: Int) -> String? {
      if case .string(let text) = values[index].storage { text } else { nil }
    }

    func bytes(_ index: Int) -> [UInt8]? {
      if case .blob(let data) = values[index].storage { Array(data) } else { nil }
    }

    func fixed<Value: FixedBytes>(_ index: Int) -> Value? { bytes(index).flatMap { Value($0) } }
  }
}
