import Foundation

/// Names of the local images that `scripts/build-images.sh` makes of the performers in this package; the tag says which build
/// they come from.
package enum PerformerImages {
  private static let tag = ProcessInfo.processInfo.environment["CONFIG"] ?? "debug"

  /// `Examples/square`.
  package static let square = "ponos-square:\(tag)"
  /// `Examples/price-median`.
  package static let priceMedian = "ponos-price-median:\(tag)"
  /// `Examples/fingerprint`.
  package static let fingerprint = "ponos-fingerprint:\(tag)"
  /// ``ScriptedPerformer`` alone in a container.
  package static let scripted = "ponos-scripted:\(tag)"
  /// A performer on grpc-go that answers with the payload.
  package static let go = "ponos-go:\(tag)"
}
