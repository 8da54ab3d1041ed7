import NIOCore
import Testing

@testable import PonosDocker

@Suite("Stream decoding")
struct StreamDecodingTests {
  @Test("lines come out whole wherever the stream is cut")
  func lines() throws {
    let text = "{\"a\":1}\r\n\n{\"b\":2}\nrest"
    for cut in 0...text.utf8.count {
      var splitter = LineSplitter()
      let bytes = Array(text.utf8)
      var lines = try splitter.feed(ByteBuffer(bytes: bytes[..<cut]))
      lines += try splitter.feed(ByteBuffer(bytes: bytes[cut...]))
      #expect(lines.map { String(buffer: $0) } == ["{\"a\":1}", "{\"b\":2}"], "cut at \(cut)")
      #expect(splitter.finish().map { String(buffer: $0) } == "rest")
      #expect(splitter.finish() == nil)
    }
  }

  @Test("a line without end is an error, not a growing buffer")
  func endlessLine() throws {
    var splitter = LineSplitter(limit: 100)
    #expect(try splitter.feed(ByteBuffer(repeating: 65, count: 100)).isEmpty)
    #expect(throws: DockerError.self) { try splitter.feed(ByteBuffer(repeating: 65, count: 1)) }
  }

  @Test("log frames come out whole wherever the stream is cut")
  func frames() {
    let bytes = frame(1, "hello ") + frame(2, "") + frame(2, "world\n")
    for cut in 0...bytes.count {
      var decoder = LogFrameDecoder()
      var output = decoder.feed(ByteBuffer(bytes: bytes[..<cut]))
      output.writeImmutableBuffer(decoder.feed(ByteBuffer(bytes: bytes[cut...])))
      #expect(String(buffer: output) == "hello world\n", "cut at \(cut)")
    }
  }

  @Test("output without frames passes through")
  func unframed() {
    var decoder = LogFrameDecoder()
    var output = decoder.feed(ByteBuffer(string: "plain terminal"))
    output.writeImmutableBuffer(decoder.feed(ByteBuffer(string: " output\n")))
    #expect(String(buffer: output) == "plain terminal output\n")
  }

  @Test("a tail keeps the end, in whole lines")
  func tail() {
    var tail = TextTail(limit: 20)
    for number in 0..<100 { tail.append(ByteBuffer(string: "line \(number)\r\n")) }
    #expect(tail.lines(last: 10) == ["line 98", "line 99"])
    #expect(tail.lines(last: 1) == ["line 99"])
  }

  @Test("filters are escaped JSON")
  func filters() throws {
    let item = try EngineRequest.filters(["label": ["a=\"b\\\n"], "event": ["die"]])
    #expect(item.value == #"{"event":["die"],"label":["a=\"b\\\n"]}"#)
    let request = EngineRequest.get("/x", query: [item])
    #expect(!request.target(version: APIVersion(1, 41)).contains("\""))
    #expect(request.target(version: APIVersion(1, 41)).hasPrefix("/v1.41/x?filters=%7B"))
  }

  @Test("DOCKER_HOST is understood in its plain forms and refused in the others")
  func endpoints() throws {
    #expect(try DockerEndpoint.fromEnvironment([:]) == .standard)
    #expect(try DockerEndpoint.fromEnvironment(["DOCKER_HOST": "unix:///run/d.sock"]) == .unixSocket("/run/d.sock"))
    #expect(try DockerEndpoint.fromEnvironment(["DOCKER_HOST": "tcp://10.0.0.1:2375"]) == .tcp(host: "10.0.0.1", port: 2375))
    #expect(try DockerEndpoint(parsing: "tcp://[::1]:2375/") == .tcp(host: "::1", port: 2375))
    for text in ["ssh://host", "unix://", "unix://relative", "tcp://host", "tcp://:2375", "tcp://h:0", "tcp://h:x", "docker"] {
      let error = #expect(throws: DockerError.self) { try DockerEndpoint(parsing: text) }
      #expect(error?.code == .invalidEndpoint, "\(text)")
    }
  }

  private func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
    let count = UInt32(text.utf8.count)
    return [stream, 0, 0, 0] + withUnsafeBytes(of: count.bigEndian) { Array($0) } + Array(text.utf8)
  }
}
