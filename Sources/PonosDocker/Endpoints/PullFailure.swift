/// Says why a pull or push failed. Engines give no codes for it, only words, which differ little between versions.
enum PullFailure {
  /// The typed form of `error`, thrown while `reference` was on its way.
  static func error(pulling reference: String, _ error: DockerError) -> DockerError {
    switch error.code {
    case .pullFailed, .badRequest, .notFound, .engineFailed: break
    case .pullStalled:
      return DockerError(
        .pullStalled, "The transfer of \(reference) stalled", cause: error.message, cure: error.cure)
    default: return error
    }
    let cause = error.cause ?? ""
    let code = classify(cause)
    return DockerError(
      code, "\(reference) could not be transferred", status: error.status, cause: cause, cure: cure(for: code))
  }

  /// The kind of failure that an engine's words describe.
  static func classify(_ message: String) -> DockerError.Code {
    let text = message.lowercased()
    func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
    if says("invalid reference format", "invalid checksum digest", "invalid digest", "invalid tag") { return .invalidReference }
    if says("verification failed") { return .imageCorrupt }
    // A registry that lost a layer says so of the blob.
    if says("manifest unknown", "not found", "unknown blob", "blob unknown") { return .imageNotFound }
    if says("no basic auth", "unauthorized", "denied", "authentication required") { return .registryUnauthorized }
    if says("x509") { return .registryUntrusted }
    if says(
      "connection refused", "no such host", "timeout", "timed out", "eof", "connection reset", "unreachable",
      "deadline exceeded", "temporarily", "too many requests", "toomanyrequests", "unexpected", "no route to host",
      "server misbehaving", "temporary failure", "broken pipe", "bad gateway", "service unavailable",
      "closed network connection")
    {
      return .registryUnavailable
    }
    return .pullFailed
  }

  private static func cure(for code: DockerError.Code) -> String? {
    switch code {
    case .invalidReference: "Write it as host/path without a scheme, and the digest as sha256: and 64 hex digits."
    case .imageNotFound: "Check the repository, the tag or digest, and that the image was pushed."
    case .registryUnauthorized: "Check that the image exists and that the engine may pull it."
    case .registryUntrusted: "Install the registry's CA under /etc/docker/certs.d/HOST:PORT/ca.crt on the engine's host."
    case .imageCorrupt: "Do not run it: what the registry sent does not match its digest."
    case .registryUnavailable: "Check the registry and the network of the Docker Engine, and try again."
    default: nil
    }
  }
}
