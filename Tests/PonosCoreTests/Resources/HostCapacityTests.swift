import PonosCore
import Testing

@Suite("What a host has")
struct HostCapacityTests {
  @Test(
    "is enough for a container, or too little, and then the figures and the cure are told",
    arguments: [
      (8 << 30, 4, 8 << 30, 4.0, []), (8 << 30, 4, (8 << 30) + 1, 1, ["resources.memory", "8192 MiB", "lower"]),
      (8 << 30, 4, 1 << 30, 4.5, ["resources.cpus is 4.5", "4 processors", "lower"]), (0, 0, 1 << 44, 1024, []),
    ] as [(Int64, Int, Int64, Double, [String])])
  func isEnoughForContainer(memory: Int64, cpus: Int, wantedMemory: Int64, wantedCPUs: Double, words: [String]) {
    let limits = ResourceLimits(memoryBytes: wantedMemory, cpus: wantedCPUs)
    let shortage = HostCapacity(memoryBytes: memory, cpus: cpus).shortage(for: limits)
    #expect((shortage == nil) == words.isEmpty)
    for word in words { #expect(shortage?.contains(word) == true, "\(shortage ?? "")") }
  }
}
