import Foundation
import GRDB
import PonosCore

/// Writes and reads a performer's row. The spec is JSON: it is only ever read whole.
enum PerformerRow {
  static let selection = """
    SELECT id, spec, origin, role, deployment_id, generation, container_id, image_id, created_at, replica FROM performer
    """

  static func arguments(_ performer: PerformerRecord) throws -> StatementArguments {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let spec = String(decoding: try encoder.encode(performer.spec), as: UTF8.self)
    return [
      performer.id, spec, performer.origin.rawValue, performer.role.rawValue, performer.deploymentID, performer.generation,
      performer.containerID, performer.imageID, performer.createdAt, performer.replica,
    ]
  }

  static func record(_ row: Row) throws -> PerformerRecord {
    let (id, spec, origin, role): (String, String, String, String) = (row[0], row[1], row[2], row[3])
    guard let origin = PerformerOrigin(rawValue: origin), let role = PerformerRecord.Role(rawValue: role) else {
      throw damaged(id)
    }
    do {
      return PerformerRecord(
        id: id, spec: try JSONDecoder().decode(PerformerSpec.self, from: Data(spec.utf8)), replica: row[9], origin: origin,
        role: role,
        deploymentID: row[4], generation: row[5], containerID: row[6], imageID: row[7], createdAt: row[8])
    } catch is DecodingError {
      // The error itself would quote the spec, and with it variables of the performer.
      throw damaged(id)
    }
  }

  private static func damaged(_ id: String) -> StoreError {
    StoreError(.readFailed, "the record of performer \(id) is damaged; restore a backup")
  }
}
