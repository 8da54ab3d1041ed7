import Foundation
import GRDB
import PonosCore

/// Writes and reads a performer's row. The spec is JSON: it is only ever read whole.
enum PerformerRow {
  static let selection = """
    SELECT id, spec, origin, role, deployment_id, generation, container_id, image_id, created_at, replica, seal FROM performer
    """

  static func arguments(_ performer: PerformerRecord) throws -> StatementArguments {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let spec = String(decoding: try encoder.encode(performer.spec), as: UTF8.self)
    return [
      performer.id, spec, performer.origin.rawValue, performer.role.rawValue, performer.deploymentID, performer.generation,
      performer.containerID, performer.imageID, performer.createdAt, performer.replica,
      Data(RecordSeals.performer(performer, spec: spec)),
    ]
  }

  /// Throws `.damaged` when the row is not what was written.
  static func record(_ row: Row) throws -> PerformerRecord {
    let columns = StoredColumns(row: row, subject: "a performer")
    let (id, spec) = (try columns.text(0), try columns.text(1))
    let subject = StoredColumns(row: row, subject: "performer \(id)")
    guard let origin = PerformerOrigin(rawValue: try columns.text(2)),
      let role = PerformerRecord.Role(rawValue: try columns.text(3))
    else { throw subject.damaged }
    do {
      let record = PerformerRecord(
        id: id, spec: try JSONDecoder().decode(PerformerSpec.self, from: Data(spec.utf8)), replica: try columns.number(9),
        origin: origin, role: role, deploymentID: try columns.text(4), generation: try columns.number(5),
        containerID: try columns.optionalText(6), imageID: try columns.optionalText(7), createdAt: try columns.integer(8))
      try subject.check(seal: 10, is: RecordSeals.performer(record, spec: spec))
      return record
    } catch is DecodingError {
      // The error itself would quote the spec, and with it variables of the performer.
      throw subject.damaged
    }
  }
}
