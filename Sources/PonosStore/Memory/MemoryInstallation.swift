import Foundation

extension MemoryStore {
  /// The store of a daemon that keeps nothing over a restart. Its installation id says who the daemon is, so that the next start
  /// of the same one finds the containers and networks of this one and removes them.
  ///
  /// Throws `.locked` while another daemon on this host is the same installation.
  ///
  /// - Parameter installationID: nil for a daemon that is never the same twice; it gets a random id.
  package convenience init(claiming installationID: String?) throws(StoreError) {
    guard let installationID else {
      self.init()
      return
    }
    self.init(installationID: installationID, claim: try InstallationClaim(installationID))
  }
}

/// The right to be an installation on this host, where no database file can be locked: without it a second start by mistake would
/// take the containers of the running daemon for left-overs.
///
/// A name among the kernel's abstract sockets: nothing stays on disk, and it goes with the process, however it ends.
final class InstallationClaim: Sendable {
  private let descriptor: Int32

  /// Throws `.locked` when another process has it.
  init(_ installationID: String) throws(StoreError) {
    // Assigned to the property at the end: an initializer that throws after that would close it a second time.
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Self.systemError("make a socket") }
    guard Self.name(descriptor, "ponos-executor/\(installationID)") == 0 else {
      let isHeld = errno == EADDRINUSE
      let failure = Self.systemError("claim the installation")
      close(descriptor)
      throw isHeld
        ? StoreError(
          .locked,
          "another executor of this operator, chain and ports runs on this host; stop it, or give this one ports of its own")
        : failure
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Names in the abstract namespace begin with a zero byte and end where the length says.
  private static func name(_ descriptor: Int32, _ name: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { path in
      for (index, byte) in name.utf8.enumerated() { path[index + 1] = byte }
    }
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + 1 + name.utf8.count
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
    }
  }

  private static func systemError(_ action: String) -> StoreError {
    StoreError(.cannotOpen, "could not \(action): \(String(cString: strerror(errno)))")
  }
}
