import Foundation

/// The performer images that `scripts/build-images.sh` packs, tagged with the build configuration they come from.
enum Images {
  private static let tag = ProcessInfo.processInfo.environment["CONFIG"] ?? "debug"

  static let square = "ponos-square:\(tag)"
  static let priceMedian = "ponos-price-median:\(tag)"
  static let fingerprint = "ponos-fingerprint:\(tag)"
  static let scripted = "ponos-scripted:\(tag)"

  /// Throws, saying what to do, unless the engine answers and holds them all.
  static func requireAll() async throws {
    for image in [square, priceMedian, fingerprint, scripted] {
      do { try await Command.run("docker", "image", "inspect", image) } catch {
        throw DidNotHappen(
          description:
            "the image \(image) is missing; run `make test`, or scripts/build-images.sh with a Docker engine (\(error))")
      }
    }
  }
}
