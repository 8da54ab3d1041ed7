import FoundationEssentials

/// Where an endpoint is. The URL may carry credentials in its path, query or user part, so only the host is ever shown.
package struct EndpointURL: Hashable, Sendable {
  /// Why a text is no URL of an endpoint; says nothing of what is in it.
  package enum Problem: Error, Hashable, Sendable {
    case notURL
    case scheme
    case noHost
  }

  /// Without the user part.
  let url: String
  /// The value of the header `Authorization`; nil without a user part.
  let authorization: String?
  /// Host, and port where one is written.
  package let host: String
  /// Parts that nobody may see, longest first.
  private let secrets: [String]

  package init(_ text: String) throws(Problem) {
    guard var parts = URLComponents(string: text) else { throw .notURL }
    guard let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme) else { throw .scheme }
    guard let name = parts.host, !name.isEmpty else { throw .noHost }
    host = name + (parts.port.map { ":\($0)" } ?? "")
    authorization = Self.authorization(user: parts.user, password: parts.password)
    secrets = Self.secrets(of: parts)
    (parts.user, parts.password, parts.fragment) = (nil, nil, nil)
    guard let url = parts.string else { throw .notURL }
    self.url = url
  }

  /// `text` without what is secret of this URL. Providers repeat keys in their errors.
  func redact(_ text: String) -> String {
    secrets.reduce(text) { $0.replacing($1, with: "…") }
  }

  private static func authorization(user: String?, password: String?) -> String? {
    guard let user else { return nil }
    return "Basic " + Data("\(user):\(password ?? "")".utf8).base64EncodedString()
  }

  /// User, password, values of the query, and the segments of the path that may be a key. Short words such as `v2` or `rpc` are none.
  private static func secrets(of parts: URLComponents) -> [String] {
    var secrets = [parts.user, parts.password].compactMap { $0 }.filter { !$0.isEmpty }
    secrets += (parts.queryItems ?? []).compactMap(\.value).filter { $0.utf8.count >= 4 }
    secrets += parts.path.split(separator: "/").map(String.init).filter { $0.utf8.count >= 8 }
    return secrets.sorted { $0.utf8.count > $1.utf8.count }
  }
}

extension EndpointURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { host }
  package var debugDescription: String { host }
  // A dump of a configuration goes by mirrors.
  package var customMirror: Mirror { Mirror(self, children: ["host": host]) }
}

extension EndpointURL.Problem {
  /// What is wrong, as the end of a sentence.
  package var message: String {
    switch self {
    case .notURL: "is no URL"
    case .scheme: "has to begin with http:// or https://"
    case .noHost: "names no host"
    }
  }
}
