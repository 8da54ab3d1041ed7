import NIOHTTP1

/// Judges whether an answer over HTTP can be told to be complete, and is the output as it stands. Nothing else is signed: of an answer that
/// ends with its connection nobody can tell half from all, and what is encoded would be signed encoded.
enum HTTPFraming {
  /// Characters shown of a header's value.
  private static let shownCharacters = 64

  /// What is wrong with an answer and what its author has to do; nil when it can be read.
  static func fault(version: HTTPVersion, headers: HTTPHeaders) -> String? {
    lengthFault(version, headers) ?? encodingFault(headers)
  }

  private static func lengthFault(_ version: HTTPVersion, _ headers: HTTPHeaders) -> String? {
    let lengths = headers["Content-Length"]
    let codings = headers["Transfer-Encoding"]
    guard codings.isEmpty else { return transferFault(version, codings, hasLength: !lengths.isEmpty) }
    switch lengths.count {
    case 0: return "the answer has neither Content-Length nor chunks, so nobody can tell whether it is complete; send one of them"
    case 1 where lengths[0].utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) && !lengths[0].isEmpty: return nil
    default:
      return "the answer has Content-Length \(shown(lengths)), which is no single number; send the length of the output once"
    }
  }

  private static func transferFault(_ version: HTTPVersion, _ codings: [String], hasLength: Bool) -> String? {
    if codings.map({ $0.lowercased() }) != ["chunked"] {
      return "the answer has Transfer-Encoding \(shown(codings)), so nobody can tell whether it is complete; "
        + "send Content-Length, or chunked and nothing else"
    }
    if hasLength { return "the answer has both Content-Length and Transfer-Encoding; send one of them" }
    if version < .http1_1 {
      return "the answer has chunks in \(version), which knows none; send Content-Length, or answer in HTTP/1.1"
    }
    return nil
  }

  private static func encodingFault(_ headers: HTTPHeaders) -> String? {
    let codings = headers[canonicalForm: "Content-Encoding"]
    guard codings.contains(where: { $0.lowercased() != "identity" }) else { return nil }
    return "the answer has Content-Encoding \(shown(codings.map(String.init))), which nobody decodes; send the output itself"
  }

  /// The beginning of what a header says, in printable ASCII: a performer's words go into logs and error messages.
  private static func shown(_ values: [String]) -> String {
    let text = values.joined(separator: ", ").prefix(shownCharacters)
    return "\"" + String(text.map { $0.isASCII && !$0.isNewline && $0 >= " " && $0 <= "~" ? $0 : "?" }) + "\""
  }
}

extension HTTPVersion {
  fileprivate static func < (left: HTTPVersion, right: HTTPVersion) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}
