#!/usr/bin/env bash
# Generates Sources/PonosAPI/Generated from Protos/. The output is committed, so a build needs no protoc;
# run this after editing a .proto file. Needs protoc (Debian: protobuf-compiler); builds the two Swift plug-ins
# from the packages the project already depends on.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.build-protoc
mkdir -p "$tools"
cat > "$tools/Package.swift" <<'P'
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
  name: "protoc-plugins",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
  ],
  targets: [
    .target(
      name: "Plugins",
      dependencies: [
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
      ])
  ])
P
mkdir -p "$tools/Sources/Plugins" && echo '// Only here so that the package has a target.' > "$tools/Sources/Plugins/Plugins.swift"
echo "building the protoc plug-ins (about a minute the first time)"
swift build --package-path "$tools" --scratch-path "$tools/.build" --product protoc-gen-swift >/dev/null
swift build --package-path "$tools" --scratch-path "$tools/.build" --product protoc-gen-grpc-swift-2 >/dev/null
bin=$(swift build --package-path "$tools" --scratch-path "$tools/.build" --show-bin-path)
out=Sources/PonosAPI/Generated
rm -rf "$out" && mkdir -p "$out"
mapfile -t protos < <(cd Protos && find . -name '*.proto' | sed 's|^\./||' | sort)
protoc --proto_path=Protos \
  --plugin=protoc-gen-swift="$bin/protoc-gen-swift" --swift_out="$out" \
  --swift_opt=Visibility=Package --swift_opt=FileNaming=PathToUnderscores \
  --plugin=protoc-gen-grpc-swift-2="$bin/protoc-gen-grpc-swift-2" --grpc-swift-2_out="$out" \
  --grpc-swift-2_opt=Visibility=Package --grpc-swift-2_opt=FileNaming=PathToUnderscores \
  "${protos[@]}"
echo "wrote $(find "$out" -name '*.swift' | wc -l) files to $out"
