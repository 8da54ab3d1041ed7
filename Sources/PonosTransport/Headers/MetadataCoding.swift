package import GRPCCore

/// Translation between HTTP/2 header fields and the metadata calls see.
package enum MetadataCoding {
  /// Header fields that belong to the protocol; calls neither see nor set them.
  static func isReserved(_ name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: ":") else { return true }
    switch name {
    case "te", "content-type", "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message",
      "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "content-length":
      return true
    default:
      return false
    }
  }

  /// The custom metadata among `headers`; values of `-bin` keys are decoded, a list of them into one value each.
  package static func metadata(from headers: HeaderFields, dropping dropped: String? = nil) -> Metadata {
    var metadata = Metadata()
    for field in headers where !isReserved(field.name) && field.name != dropped {
      if field.name.hasSuffix("-bin") {
        addBinary(field.value, for: field.name, to: &metadata)
      } else {
        metadata.addString(field.value, forKey: field.name)
      }
    }
    return metadata
  }

  /// Appends `metadata` to `headers`, with names in lower case. Entries that HTTP/2 could not carry are left out.
  package static func append(_ metadata: Metadata, to headers: inout HeaderFields) {
    guard !metadata.isEmpty else { return }
    for (key, value) in metadata {
      let name = key.lowercased()
      guard isToken(name), !isReserved(name) else { continue }
      switch value {
      case .string(let text) where isFieldValue(text):
        headers.add(name: name, value: text, isIndexed: name != GRPCTimeout.name)
      case .string: continue
      case .binary(let bytes): headers.add(name: name, value: Base64.encode(bytes))
      }
    }
  }

  /// Whether `headers` fit into one HEADERS frame of any peer: 16 KiB, and each field may cost a few bytes besides its name and its
  /// value (RFC 7541 section 6.2). No more is sent, because peers may take no more.
  static func fitInOneFrame(_ headers: HeaderFields) -> Bool {
    var bytes = 0
    for field in headers { bytes += field.name.utf8.count + field.value.utf8.count + 8 }
    return bytes <= 16_384
  }

  private static func addBinary(_ value: String, for name: String, to metadata: inout Metadata) {
    for item in value.split(separator: ",", omittingEmptySubsequences: false) {
      if let bytes = Base64.decode(item) {
        metadata.addBinary(bytes, forKey: name)
      } else {
        metadata.addString(String(item), forKey: name)
      }
    }
  }

  /// Names of gRPC metadata: digits, lower-case letters, `_`, `-` and `.`.
  private static func isToken(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Values of ASCII metadata: space and printable characters.
  private static func isFieldValue(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
  }
}
