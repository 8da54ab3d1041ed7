import PonosCore

/// Who makes a call, as far as that is known.
package struct Principal: Sendable, Equatable {
  /// What the caller has proven.
  package enum Identity: Sendable, Equatable {
    /// Nothing: the method takes no proof.
    case anonymous
    /// Nothing, and nobody is asked to: authentication is disabled in the configuration.
    case unchecked
    /// That it holds the key of the operator with this address.
    case `operator`(EthereumAddress)
  }

  package let identity: Identity
  /// The other end's address, as gRPC has it.
  package let peer: String

  package init(identity: Identity, peer: String) {
    self.identity = identity
    self.peer = peer
  }

  /// Whether the caller may see and change performers.
  package var mayManage: Bool { identity != .anonymous }

  /// The caller of the call that this task works for; nil where `PrincipalInterceptor` has not judged it.
  @TaskLocal package static var current: Principal?
}

extension Principal: CustomStringConvertible {
  package var description: String {
    switch identity {
    case .anonymous: "anonymous"
    case .unchecked: "unchecked"
    case .operator(let address): "operator \(address)"
    }
  }
}
