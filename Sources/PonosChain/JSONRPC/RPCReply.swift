/// What a node sent back for one or several requests, sorted by id but not yet judged.
struct RPCReply: Sendable, Equatable {
  /// Why a body is no reply to what was asked.
  enum Problem: Error, Equatable {
    case notJSON
    /// JSON, but no JSON-RPC 2.0 response, or a list of something else.
    case notRPC
    /// An id that was not asked, or twice the same.
    case wrongID
  }

  /// By position of the request; nil where the node left the answer out.
  private(set) var answers: [RPCAnswer?]
  /// An error that names no request: the node refuses all of it.
  private(set) var refusal: RPCErrorObject?

  /// Reads the body of the reply to `count` requests with the ids 0 to `count - 1`, in any order.
  init(body: some Collection<UInt8>, count: Int) throws(Problem) {
    guard let value = RPCValue(json: body) else { throw .notJSON }
    answers = Array(repeating: nil, count: count)
    switch value {
    case .array(let entries):
      for entry in entries { try add(entry) }
    default:
      try add(value)
    }
  }

  /// Whether something is missing that the node did not refuse one by one.
  var isIncomplete: Bool { refusal != nil || answers.contains { $0 == nil } }

  private mutating func add(_ entry: RPCValue) throws(Problem) {
    guard case .object(let members) = entry, members["jsonrpc"]?.text == "2.0", let answer = RPCAnswer(members) else {
      throw .notRPC
    }
    guard let id = members["id"], id != .null else {
      guard case .failure(let error) = answer else { throw .wrongID }
      refusal = error
      return
    }
    guard let index = id.integer, answers.indices.contains(index), answers[index] == nil else { throw .wrongID }
    answers[index] = answer
  }
}

/// The answer to one request.
enum RPCAnswer: Sendable, Equatable {
  case success(RPCValue)
  case failure(RPCErrorObject)

  /// nil unless there is a result or an error. An error wins, since some nodes send a null result beside it.
  fileprivate init?(_ members: [String: RPCValue]) {
    if let error = members["error"], error != .null {
      guard let object = RPCErrorObject(error) else { return nil }
      self = .failure(object)
    } else if let result = members["result"] {
      self = .success(result)
    } else {
      return nil
    }
  }
}

/// The error of a JSON-RPC response.
struct RPCErrorObject: Sendable, Equatable {
  let code: Int
  /// At most 300 characters, on one line.
  let message: String
  let data: RPCValue?

  init(code: Int, message: String, data: RPCValue? = nil) {
    self.code = code
    self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300).description
    self.data = data
  }

  fileprivate init?(_ value: RPCValue) {
    guard let code = value["code"]?.integer else { return nil }
    self.init(code: code, message: value["message"]?.text ?? "", data: value["data"])
  }
}
