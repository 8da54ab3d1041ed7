/// Something that happened to an object of the engine.
package struct EngineEvent: Sendable, Equatable, Decodable {
  /// `container`, `image`, `network`, …
  package let type: String
  /// `start`, `die`, `oom`, `destroy`, …
  package let action: String
  /// Id of the object.
  package let actorID: String
  /// The object's labels, and facts about the event such as `exitCode`.
  package let attributes: [String: String]
  /// Nanoseconds since 1970.
  package let timeNanoseconds: Int64

  private struct Actor: Decodable {
    let id: String?
    let attributes: [String: String]?
    enum CodingKeys: String, CodingKey { case id = "ID", attributes = "Attributes" }
  }

  private enum CodingKeys: String, CodingKey { case type = "Type", action = "Action", actor = "Actor", timeNano }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    type = try values.decodeIfPresent(String.self, forKey: .type) ?? ""
    action = try values.decode(String.self, forKey: .action)
    let actor = try values.decodeIfPresent(Actor.self, forKey: .actor)
    actorID = actor?.id ?? ""
    attributes = actor?.attributes ?? [:]
    timeNanoseconds = try values.decodeIfPresent(Int64.self, forKey: .timeNano) ?? 0
  }
}
