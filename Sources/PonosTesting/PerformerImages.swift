/// Names of the local images that `scripts/build-images.sh` makes of the performers in this package.
package enum PerformerImages {
  /// `Examples/square`.
  package static let square = "ponos-example/square:dev"
  /// `Examples/price-median`.
  package static let priceMedian = "ponos-example/price-median:dev"
  /// ``ScriptedPerformer`` alone in a container.
  package static let scripted = "ponos-test/scripted:dev"
  /// A performer on grpc-go that answers with the payload.
  package static let go = "ponos-test/go:dev"
}
