// swift-tools-version: 6.2
import PackageDescription

/// The executor's package is the folder above this one.
///
/// Its modules have `package` access, which ends at a package's border. The border is a name given to the compiler
/// (`-package-name`), and SwiftPM derives it from the identity of the package: for a package found by path, the name of its folder in
/// lower case, with every character an identifier cannot have replaced by `_`. The targets here take that same name
/// (docs/adr/0007-benchmarks.md).
let executorFolder = Context.packageDirectory.split(separator: "/").dropLast().last.map(String.init) ?? ""
let executorPackageName = String(executorFolder.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-package-name", executorPackageName]),
]

let package = Package(
  name: "ponos-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    // The versions are those of the executor's own list, which pins what these depend on as well.
    .package(name: "ponos-executor", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
  ],
  targets: [
    .executableTarget(
      name: "PonosBenchmarks",
      dependencies: [
        .product(name: "PonosModules", package: "ponos-executor"),
        // The daemon itself: built beside the benchmarks and started by them, not linked into them.
        .product(name: "ponos-executor", package: "ponos-executor"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      packageAccess: false,
      swiftSettings: settings),
    // Server and client of the transport benchmark (Transport/run.py).
    .executableTarget(
      name: "TransportPeer",
      dependencies: [
        .product(name: "PonosModules", package: "ponos-executor"),
        .product(name: "PonosLibraryTransport", package: "ponos-executor"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
      ],
      packageAccess: false,
      swiftSettings: settings),
    // What the performer's container holds.
    .executableTarget(
      name: "NoOpPerformer",
      dependencies: [.product(name: "PonosPerformer", package: "ponos-executor")]),
  ],
  swiftLanguageModes: [.v6]
)
