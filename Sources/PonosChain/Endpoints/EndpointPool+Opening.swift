import NIOSSL

/// Endpoints cannot be used as they are configured.
package struct EndpointSetupError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong, and what to do; no URL is in it.
  package let description: String
}

extension EndpointPool {
  /// A pool of the endpoints at `urls`.
  ///
  /// - Parameter caFile: PEM file of certificates that are trusted besides the system's.
  package convenience init(
    urls texts: [String], settings: Settings, caFile: String?, observe: @escaping @Sendable (EndpointEvent) -> Void = { _ in }
  ) throws(EndpointSetupError) {
    var urls: [EndpointURL] = []
    for (index, text) in texts.enumerated() {
      do throws(EndpointURL.Problem) { urls.append(try EndpointURL(text)) } catch {
        throw EndpointSetupError(description: "endpoint \(index + 1) \(error.message)")
      }
    }
    var trusted: [NIOSSLCertificate] = []
    if let caFile {
      do { trusted = try NIOSSLCertificate.fromPEMFile(caFile) } catch {
        throw EndpointSetupError(description: "caFile \(caFile) cannot be read as PEM certificates; check the path and the file")
      }
    }
    guard !urls.isEmpty else { throw EndpointSetupError(description: "there is no endpoint") }
    self.init(urls: urls, settings: settings, trusting: trusted, observe: observe)
  }
}
