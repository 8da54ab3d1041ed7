import Foundation
import PonosCore
import Testing

@Suite("Performer specifications")
struct PerformerSpecTests {
  private static let spec = PerformerSpec(
    avs: EthereumAddress(unchecked: [UInt8](repeating: 0xa5, count: 20)),
    image: ImageReference(repository: "registry.test/performer", tag: "1", digest: nil))

  @Test(
    "are read as they were written",
    arguments: [PerformerInterface.standard, .init(style: .http(taskPath: "/run", healthPath: "/up"), port: 81)])
  func areReadAsTheyWereWritten(interface: PerformerInterface) throws {
    var spec = Self.spec
    spec.interface = interface
    let read = try JSONDecoder().decode(PerformerSpec.self, from: try JSONEncoder().encode(spec))
    #expect(read == spec)
  }

  @Test("of versions that knew gRPC only mean gRPC on port 8080")
  func ofVersionsThatKnewGRPCOnlyMeanGRPCOnPort8080() throws {
    var object = try #require(JSONSerialization.jsonObject(with: try JSONEncoder().encode(Self.spec)) as? [String: Any])
    object["interface"] = nil
    let read = try JSONDecoder().decode(PerformerSpec.self, from: try JSONSerialization.data(withJSONObject: object))
    #expect(read == Self.spec && read.interface == PerformerInterface(style: .grpc, port: 8080))
  }

  @Test("a new interface needs no new container: it is the line that is made anew")
  func newInterfaceNeedsNoNewContainer() {
    var other = Self.spec
    other.interface.port = 9000
    #expect(!Self.spec.needsNewContainer(for: other))
  }
}
