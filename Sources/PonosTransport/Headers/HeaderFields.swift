/// A block of HTTP/2 header fields, in the order they are sent.
package struct HeaderFields: Hashable, Sendable {
  /// One field.
  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: String
    /// Whether the peers may keep the field in their tables. A value that differs from call to call would push everything else out.
    package var isIndexed = true
  }

  /// Why fields of a peer are missing.
  package enum Defect: Hashable, Sendable {
    /// There were more than the peer may send.
    case tooLarge
    /// They had names or values that no field may have.
    case malformed
  }

  private var fields: [Field] = []
  /// Why some of the fields are missing; nil when they are all there.
  package var defect: Defect?

  package init() {}

  /// Fields by name and value.
  package init(_ fields: [(String, String)]) {
    self.fields = fields.map { Field(name: $0, value: $1) }
  }

  /// Adds a field behind the others; `name` has to be in lower case.
  package mutating func add(name: String, value: String, isIndexed: Bool = true) {
    fields.append(Field(name: name, value: value, isIndexed: isIndexed))
  }

  /// Drops all fields and keeps their memory.
  mutating func removeAll() {
    fields.removeAll(keepingCapacity: true)
    defect = nil
  }

  /// The values of the fields called `name`, in order.
  package subscript(name: String) -> [String] {
    fields.compactMap { $0.name == name ? $0.value : nil }
  }
}

extension HeaderFields: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements)
  }
}

extension HeaderFields: RandomAccessCollection {
  package var startIndex: Int { fields.startIndex }
  package var endIndex: Int { fields.endIndex }
  package subscript(position: Int) -> Field { fields[position] }
}
