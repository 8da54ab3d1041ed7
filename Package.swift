// swift-tools-version: 6.2
import PackageDescription

/// Rules every target is built with: no implicit member imports, and `any` written out.
var strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// Products of other packages, named once.
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcNIO = Target.Dependency.product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport")
let grpcProtobuf = Target.Dependency.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// What is listed below only for its version: the package manager warns of a dependency that no target names, so one names these, for a
/// platform that nothing here is built for.
let fixed: [Target.Dependency] = [
  ("Algorithms", "swift-algorithms"), ("SwiftASN1", "swift-asn1"), ("AsyncAlgorithms", "swift-async-algorithms"),
  ("Atomics", "swift-atomics"), ("X509", "swift-certificates"), ("Configuration", "swift-configuration"),
  ("Instrumentation", "swift-distributed-tracing"), ("StructuredFieldValues", "swift-http-structured-headers"),
  ("NIOExtras", "swift-nio-extras"), ("NIOTransportServices", "swift-nio-transport-services"), ("RealModule", "swift-numerics"),
  ("ServiceContextModule", "swift-service-context"),
].map { .product(name: $0, package: $1, condition: .when(platforms: [.wasi])) }

/// scripts/fuzz.sh sets this: our own targets are compiled for libFuzzer, and its program is built.
let isFuzzing = Context.environment["PONOS_FUZZING"] != nil
if isFuzzing { strict.append(.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])) }

let fuzzProgram: [Target] =
  isFuzzing
  ? [
    .executableTarget(
      name: "PonosFuzz", dependencies: ["PonosFuzzing"], path: "Tests/Fuzzing/Program", swiftSettings: strict,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
  ] : []

/// scripts/sanitize.sh sets this: the transport and its tests alone, so that building them for a sanitizer is a matter of minutes.
let sanitizer = Context.environment["PONOS_SANITIZER"]

let package = Package(
  name: "ponos-executor",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ponos-executor", targets: ["PonosCLI"]),
    .library(name: "PonosPerformer", targets: ["PonosPerformer"]),
    // For Benchmarks/, a package of its own. All of it has `package` access, so it promises nothing to anyone else.
    .library(
      name: "PonosModules",
      targets: [
        "PonosCore", "PonosSystem", "PonosCrypto", "PonosAPI", "PonosTransport", "PonosTelemetry", "PonosConfiguration",
        "PonosStore", "PonosContainers", "PonosChain", "PonosExecutor", "PonosAggregator",
      ]),
    .library(name: "PonosLibraryTransport", targets: ["PonosLibraryTransport"]),
  ],
  dependencies: [
    // Exactly these versions, as Package.resolved is not kept: a program that holds keys takes nothing newer by itself.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", exact: "2.9.2"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    // What those depend on, fixed for the same reason. Package.resolved, after `swift package update`, shows whether one is missing.
    .package(url: "https://github.com/apple/swift-algorithms", exact: "1.2.1"),
    .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
    .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
    .package(url: "https://github.com/apple/swift-atomics", exact: "1.3.0"),
    .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: []),
    .package(url: "https://github.com/apple/swift-distributed-tracing", exact: "1.7.3"),
    .package(url: "https://github.com/apple/swift-http-structured-headers", exact: "1.7.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-transport-services", exact: "1.28.0"),
    .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
    .package(url: "https://github.com/apple/swift-service-context", exact: "1.5.1"),
  ],
  targets: [
    // C libraries (scripts/setup.sh installs them), found by pkg-config.
    .systemLibrary(name: "CSecp256k1", path: "Sources/CSecp256k1", pkgConfig: "libsecp256k1"),
    .systemLibrary(name: "CMclBN256", path: "Sources/CMclBN256", pkgConfig: "mclbn256"),
    .systemLibrary(name: "CBlst", path: "Sources/CBlst", pkgConfig: "blst"),
    // Debian's package of this one has no file for pkg-config; it lies where every linker looks.
    .systemLibrary(name: "CScrypt", path: "Sources/CScrypt"),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CMalloc", path: "Sources/CMalloc"),
    .systemLibrary(name: "CNghttp2", path: "Sources/CNghttp2", pkgConfig: "libnghttp2"),

    // Decides: nouns, policies, pure state machines.
    .target(name: "PonosCore", dependencies: [deque, heap], swiftSettings: strict),
    // What all above stands on: threads, clocks, files, and the failpoints of the tests.
    .target(name: "PonosSystem", dependencies: ["PonosCore", system], swiftSettings: strict),
    // Proves: hashes, curves, signatures, keystores.
    .target(
      name: "PonosCrypto",
      dependencies: ["PonosCore", "PonosSystem", "CSecp256k1", "CMclBN256", "CBlst", "CScrypt", crypto, cryptoExtras],
      swiftSettings: strict),
    // Speaks Docker.
    .target(
      name: "PonosDocker",
      dependencies: [asyncHTTPClient, nioCore, nioPosix, nioHTTP1],
      swiftSettings: strict),
    // Speaks JSON-RPC to Ethereum nodes.
    .target(
      name: "PonosChain",
      dependencies: ["PonosCore", "PonosSystem", "PonosCrypto", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL],
      swiftSettings: strict),
    // Speaks gRPC: messages, then the transport beneath them.
    .target(name: "PonosAPI", dependencies: [grpcCore, grpcProtobuf, protobuf]),
    .target(
      name: "PonosTransport",
      dependencies: ["CNghttp2", "CZlib", grpcCore, deque, nioCore, nioPosix, nioTLS, nioSSL],
      swiftSettings: strict + [.enableUpcomingFeature("InternalImportsByDefault")]),
    // The library's transport, for tests and benchmarks to hold ours against; no part of the daemon.
    .target(
      name: "PonosLibraryTransport", dependencies: ["PonosTransport", grpcCore, grpcNIO, nioCore],
      swiftSettings: strict + [.enableUpcomingFeature("InternalImportsByDefault")]),
    // Tells: metrics and logs.
    .target(
      name: "PonosTelemetry", dependencies: ["PonosCore", "PonosSystem", logging, metrics, serviceLifecycle],
      swiftSettings: strict),
    // Is told: the configuration.
    .target(
      name: "PonosConfiguration", dependencies: ["PonosCore", "PonosSystem", "PonosCrypto", yams], swiftSettings: strict),
    // Remembers: tasks, digests, performers, deliveries.
    .target(
      name: "PonosStore",
      dependencies: ["PonosCore", "PonosSystem", "PonosTelemetry", grdb, sqlite, crypto, deque, logging, serviceLifecycle],
      swiftSettings: strict),
    // Keeps performers up: containers, connections, routes.
    .target(
      name: "PonosContainers",
      dependencies: [
        "PonosCore", "PonosSystem", "PonosTelemetry", "PonosStore", "PonosDocker", "PonosAPI", "PonosTransport", grpcCore,
        protobuf, asyncHTTPClient, nioCore, nioHTTP1, logging, serviceLifecycle,
      ],
      swiftSettings: strict),
    // Does: tasks from the wire to the answer, operations, the daemon.
    .target(
      name: "PonosExecutor",
      dependencies: [
        "CMalloc", "PonosCore", "PonosSystem", "PonosCrypto", "PonosDocker", "PonosAPI", "PonosTransport", "PonosTelemetry",
        "PonosConfiguration", "PonosStore", "PonosContainers", "PonosChain", grpcCore, grpcProtobuf, protobuf, hummingbird,
        hummingbirdCore,
        httpTypes, serviceLifecycle, unixSignals, logging, nioCore,
      ],
      swiftSettings: strict),
    // The other side: an aggregator's end of the protocol.
    .target(
      name: "PonosAggregator",
      dependencies: [
        "PonosCore", "PonosSystem", "PonosCrypto", "PonosAPI", "PonosTransport", "PonosExecutor", grpcCore, protobuf,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "PonosCLI",
      dependencies: [
        "PonosExecutor", "PonosAggregator", "PonosConfiguration", "PonosStore", "PonosContainers", "PonosTelemetry", "PonosCore",
        "PonosSystem", "PonosCrypto", "PonosChain", "PonosAPI", "PonosTransport", "PonosDocker", argumentParser, asyncHTTPClient,
        crypto, grpcCore, logging, nioCore, nioHTTP1, protobuf,
      ] + fixed,
      swiftSettings: strict),

    // For AVS authors.
    .target(
      name: "PonosPerformer", dependencies: ["PonosAPI", "PonosTransport", grpcCore, protobuf, logging, unixSignals],
      swiftSettings: strict),
    .executableTarget(
      name: "SquarePerformer", dependencies: ["PonosPerformer"], path: "Examples/square/Sources",
      swiftSettings: strict),
    .executableTarget(
      name: "PriceMedianPerformer", dependencies: ["PonosPerformer"], path: "Examples/price-median/Sources",
      swiftSettings: strict),

    // Fakes and fixtures, one library for each room that tests share them about.
    .target(
      name: "PonosTesting",
      dependencies: [
        "PonosCore", "PonosSystem", "PonosCrypto", "PonosDocker", asyncHTTPClient, nioCore, nioPosix, nioHTTP1, nioHTTP2,
        nioHPACK,
        logging,
      ],
      swiftSettings: strict),
    .target(
      name: "PonosStoreTesting", dependencies: ["PonosStore", "PonosCore", "PonosSystem", "PonosTesting"], swiftSettings: strict),
    .target(
      name: "PonosContainersTesting",
      dependencies: ["PonosContainers", "PonosCore", "PonosTesting", nioCore, nioPosix], swiftSettings: strict),
    .target(
      name: "PonosPerformerTesting",
      dependencies: [
        "PonosPerformer", "PonosAPI", "PonosTransport", "PonosCore", "PonosTesting", grpcCore, grpcProtobuf, protobuf, nioCore,
        nioPosix, nioHTTP1,
      ],
      swiftSettings: strict),
    .target(
      name: "PonosExecutorTesting",
      dependencies: [
        "PonosExecutor", "PonosAggregator", "PonosStore", "PonosCrypto", "PonosCore", "PonosAPI", "PonosTransport",
        "PonosTesting", "PonosPerformerTesting", grpcCore, protobuf,
      ],
      swiftSettings: strict),
    // A performer that misbehaves on request, packed into an image for the acceptance tests.
    .executableTarget(name: "ScriptedPerformer", dependencies: ["PonosPerformerTesting"], swiftSettings: strict),

    // Tests.
    .testTarget(name: "PonosCoreTests", dependencies: ["PonosCore"], swiftSettings: strict),
    .testTarget(name: "PonosSystemTests", dependencies: ["PonosSystem", "PonosTesting", system], swiftSettings: strict),
    .testTarget(
      name: "PonosCryptoTests", dependencies: ["PonosCrypto", "PonosCore", "PonosSystem", "PonosTesting"], swiftSettings: strict),
    .testTarget(
      name: "PonosDockerTests", dependencies: ["PonosDocker", "PonosCore", "PonosTesting", nioCore], swiftSettings: strict),
    .testTarget(
      name: "PonosChainTests", dependencies: ["PonosChain", "PonosCore", "PonosCrypto", "PonosTesting"], swiftSettings: strict),
    .testTarget(name: "PonosAPITests", dependencies: ["PonosAPI", "PonosTesting", grpcCore, protobuf], swiftSettings: strict),
    .testTarget(
      name: "PonosTransportTests", dependencies: ["PonosTransport", "PonosLibraryTransport", "PonosAPI", nioEmbedded, nioHPACK],
      swiftSettings: strict),
    .testTarget(name: "PonosTelemetryTests", dependencies: ["PonosTelemetry", "PonosTesting", logging], swiftSettings: strict),
    .testTarget(
      name: "PonosConfigurationTests", dependencies: ["PonosConfiguration", "PonosCrypto", "PonosCore", "PonosTesting"],
      swiftSettings: strict),
    // Makes SQLite's writes fail where a test wants them to.
    .target(name: "CFaultyVFS", path: "Tests/CFaultyVFS", linkerSettings: [.linkedLibrary("sqlite3")]),
    .testTarget(
      name: "PonosStoreTests",
      dependencies: ["CFaultyVFS", "PonosStore", "PonosSystem", "PonosCore", "PonosTesting", "PonosStoreTesting", grdb, logging],
      swiftSettings: strict),
    .testTarget(
      name: "PonosContainersTests",
      dependencies: [
        "PonosContainers", "PonosDocker", "PonosStore", "PonosCore", "PonosSystem", "PonosAPI", "PonosTransport", "PonosTesting",
        "PonosStoreTesting", "PonosContainersTesting", "PonosPerformerTesting", protobuf, logging, grpcCore, asyncHTTPClient,
        nioCore, nioHTTP1,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PonosPerformerTests",
      dependencies: [
        "PonosPerformer", "PonosCore", "PonosTesting", "PonosPerformerTesting", "PonosAPI", "PonosTransport", "SquarePerformer",
        "PriceMedianPerformer", grpcCore, protobuf, logging,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PonosExecutorTests",
      dependencies: [
        "PonosExecutor", "PonosAggregator", "PonosChain", "PonosConfiguration", "PonosStore", "PonosContainers", "PonosTelemetry",
        "PonosCore", "PonosCrypto", "PonosSystem", "PonosDocker", "PonosAPI", "PonosTransport", "PonosTesting",
        "PonosStoreTesting",
        "PonosContainersTesting",
        "PonosPerformerTesting", "PonosExecutorTesting", protobuf, grdb, logging, metrics, grpcCore, asyncHTTPClient, nioCore,
        nioHTTP1,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PonosCLITests",
      dependencies: [
        "PonosCLI", "PonosCore", "PonosExecutor", "PonosConfiguration", "PonosStore", "PonosTesting", "PonosStoreTesting", crypto,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "AcceptanceTests",
      dependencies: [
        "PonosCLI", "PonosExecutor", "PonosTesting", "PonosExecutorTesting", "PonosPerformerTesting", "PonosStore",
        "PonosContainers",
        "PonosAggregator", "PonosDocker", "PonosAPI", "PonosTransport", "PonosCrypto", "PonosCore", "PonosSystem", grpcCore,
        protobuf, asyncHTTPClient, nioCore, crypto,
      ],
      swiftSettings: strict),

    // Readers of outside bytes under mutated inputs; needs a debug build for `@testable`.
    .target(
      name: "PonosFuzzing",
      dependencies: [
        "PonosTransport", "PonosExecutor", "PonosChain", "PonosContainers", "PonosConfiguration", "PonosStore", "PonosTelemetry",
        "PonosSystem",
        "PonosDocker", "PonosCrypto", "PonosAPI", "PonosCore", grpcCore, protobuf, nioCore,
        nioEmbedded, nioHTTP1, asyncHTTPClient,
      ],
      path: "Tests/Fuzzing/Targets", swiftSettings: strict),
    .testTarget(
      name: "FuzzTests", dependencies: ["PonosFuzzing", "PonosTesting"], path: "Tests/Fuzzing/Tests", swiftSettings: strict),
  ] + fuzzProgram,
  swiftLanguageModes: [.v6]
)

/// Names of test targets with commas between: all others are left out, and with them whatever only they need. Tests of one room are then
/// built without the daemon (CONTRIBUTING.md).
if let only = Context.environment["PONOS_TESTS"]?.split(separator: ",").map(String.init) {
  package.targets.removeAll { $0.type == .test && !only.contains($0.name) }
}

if let sanitizer {
  let kept: Set = ["CNghttp2", "CZlib", "PonosAPI", "PonosTransport", "PonosLibraryTransport", "PonosTransportTests"]
  package.targets.removeAll { !kept.contains($0.name) }
  package.products.removeAll()
  if sanitizer == "thread" {
    for target in package.targets where target.type != .system {
      target.swiftSettings = (target.swiftSettings ?? []) + [.define("PONOS_SANITIZE_THREAD")]
    }
  }
}
