import PonosCore

@testable import PonosChain

extension FuzzTarget {
  /// The answer of a contract, read as that of each function. What is read in full is read again from the same bytes alike.
  static let contractAnswers = FuzzTarget(
    "contract-answers",
    words: [
      [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 31) + [1], [UInt8](repeating: 0, count: 31) + [0x20],
      [UInt8](repeating: 0xff, count: 32), [0xfd, 0xea, 0x7c, 0x09],
    ]
  ) { input in
    let address = EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20))
    let (set, task) = (OperatorSet(avs: address, id: 1), TaskID(unchecked: [UInt8](repeating: 2, count: 32)))
    let (manager, keys, mailbox) = (
      AllocationManager(address: address), KeyRegistrar(address: address), TaskMailbox(address: address)
    )
    check(manager.registrar(of: address), input)
    check(manager.isMember(address, of: set), input)
    check(manager.members(of: set), input)
    check(keys.curve(of: set), input)
    check(keys.ecdsaAddress(of: address, in: set), input)
    check(keys.bn254Key(of: address, in: set), input)
    check(keys.owner(ofSigningKey: address.bytes, in: set), input)
    check(TaskAVSRegistrar(address: address).configuration(), input)
    check(ECDSACertificateVerifier(address: address).domainSeparator(), input)
    check(mailbox.status(of: task), input)
    check(mailbox.info(of: task), input)
  }

  private static func check<Answer: Equatable>(_ call: ContractCall<Answer>, _ bytes: [UInt8]) {
    do throws(ContractError) {
      let answer = try call.answer(.returned(bytes))
      precondition(!bytes.isEmpty && bytes.count.isMultiple(of: 32), "an answer is read from bytes that no function gives")
      precondition(call.view.accepts(bytes), "an answer is read and not accepted")
      let again = try call.answer(.returned(bytes))
      precondition(again == answer, "an answer is read in two ways")
    } catch {
      precondition(!error.description.isEmpty)
    }
    // Data of reverts come from the same place.
    do throws(ContractError) { _ = try call.answer(.reverted(bytes)) } catch { precondition(!error.description.isEmpty) }
  }

  /// The body of a JSON-RPC reply; the first byte of the input says to how many calls of which kinds.
  static let rpcReplies = FuzzTarget(
    "rpc-replies",
    words: [
      "\"jsonrpc\":\"2.0\",", "\"id\":0", "\"id\":null", "\"result\":", "\"error\":{\"code\":-32000,\"message\":\"", "\"0x\"",
      "null", "[",
      "]", "{", "}", "1e400", "-1", "\\u0000",
    ]
  ) { input in
    guard let first = input.first, let url = endpoint else { return }
    let view = ViewCall(contract: EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20)), data: [1, 2, 3, 4], name: "T.f")
    let kinds: [RPCRequest] = [.chainID, .syncing, .head, .call(view, at: .latest)]
    let requests = (0..<(1 + Int(first % 4))).map { kinds[(Int(first) / 4 + $0) % 4] }
    let judgement = ReplyJudgement(url: url, requests: requests)
    for status in [200, 429, 500] {
      let reply = HTTPExchange.Reply(status: status, retryAfter: nil, body: Array(input.dropFirst()))
      do {
        let results = try judgement.results(of: reply)
        precondition(results.count == requests.count, "a result is missing")
      } catch let error as ChainError {
        precondition(error.endpoint == "fuzz.test" && !error.description.contains("secret-key"), "an error tells too much")
      } catch {
        precondition(requests.count > 1, "a batch of one is too large")
      }
    }
  }

  /// With an access key, which errors must not repeat.
  private static let endpoint: EndpointURL? = {
    do throws(EndpointURL.Problem) { return try EndpointURL("https://fuzz.test/secret-key") } catch { return nil }
  }()
}
