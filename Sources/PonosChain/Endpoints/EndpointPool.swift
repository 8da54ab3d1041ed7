import NIOSSL
import Synchronization

/// The endpoints of one chain in their order of preference: asks the best one, and others when it fails, is late, or has to be confirmed.
package final class EndpointPool: Sendable {
  package struct Settings: Sendable, Equatable {
    /// The chain every endpoint has to be on.
    package var chainID: UInt64
    /// For one HTTP request.
    package var requestLimit = Duration.seconds(3)
    /// For one read, all attempts together.
    package var totalLimit = Duration.seconds(8)
    /// After which the next endpoint is asked as well.
    package var hedgeDelay = Duration.milliseconds(500)

    package init(chainID: UInt64) {
      self.chainID = chainID
    }
  }

  private struct Member: Sendable {
    var machine = EndpointStateMachine()
    var calls = HourlyCount()
  }

  package let settings: Settings
  let endpoints: [Endpoint]
  private let members: Mutex<[Member]>
  private let observe: @Sendable (EndpointEvent) -> Void
  private let start = ContinuousClock.now

  /// - Parameters:
  ///   - urls: At least one, in order of preference.
  ///   - trusted: Certificates of authorities that are trusted besides the system's.
  package init(
    urls: [EndpointURL], settings: Settings, trusting trusted: [NIOSSLCertificate] = [],
    observe: @escaping @Sendable (EndpointEvent) -> Void = { _ in }
  ) {
    precondition(!urls.isEmpty, "a chain is read through at least one endpoint")
    let exchange = HTTPExchange(trusting: trusted)
    self.settings = settings
    self.observe = observe
    endpoints = urls.map { Endpoint(url: $0, exchange: exchange, requestLimit: settings.requestLimit, observe: observe) }
    members = Mutex(urls.map { _ in Member() })
  }

  package var hosts: [String] { endpoints.map(\.url.host) }

  package func snapshots() -> [EndpointSnapshot] {
    members.withLock { members in
      endpoints.indices.map { index in
        members[index].machine.advance(to: .now)
        let machine = members[index].machine
        return EndpointSnapshot(
          host: endpoints[index].url.host, phase: machine.phase, head: machine.head, lag: machine.lag,
          lastError: machine.lastError, callsLastHour: members[index].calls.total(at: .now - start))
      }
    }
  }

  /// Sends `requests` to one endpoint after the other until `needed` of them gave the same results.
  package func read(_ requests: [RPCRequest], needed: Int = 1) async throws(ChainError) -> [RPCResult] {
    var race = Race<[RPCResult]>(candidates: candidates(), needed: needed)
    let result = await run(&race) { [self] index in await ask(index, requests) }
    if race.camps.count > 1 {
      observe(.disagreement(race.camps.map { $0.map { endpoints[$0].url.host } }, call: ReplyJudgement.summary(of: requests)))
    }
    do throws(ChainError) { return try result.get() } catch {
      throw error.naming(call: ReplyJudgement.summary(of: requests))
    }
  }

  /// Sends `requests` to the endpoint `index` alone.
  package func ask(_ index: Int, _ requests: [RPCRequest]) async -> Result<[RPCResult], ChainError> {
    do throws(ChainError) {
      try await verify(index)
      members.withLock { $0[index].calls.add(requests.count, at: .now - start) }
      let results = try await endpoints[index].ask(requests)
      members.withLock { $0[index].machine.succeeded() }
      noteHead(in: results, of: requests, at: index)
      return .success(results)
    } catch {
      failed(index, error)
      return .failure(error)
    }
  }

  // MARK: State

  /// The endpoints that may be asked, the best first.
  func candidates() -> [Int] {
    members.withLock { members in
      var ranked: [(rank: Int, index: Int)] = []
      for index in members.indices {
        members[index].machine.advance(to: .now)
        if let rank = members[index].machine.rank { ranked.append((rank, index)) }
      }
      return ranked.sorted { $0 < $1 }.map(\.index)
    }
  }

  /// Checks the chain of an endpoint that has not been read from since its last failure.
  private func verify(_ index: Int) async throws(ChainError) {
    let phase = members.withLock { members in
      members[index].machine.advance(to: .now)
      return members[index].machine.phase
    }
    if phase == .serving { return }
    let id = try await endpoints[index].chainID()
    guard id == settings.chainID else {
      let error = ChainError(
        .wrongChain, endpoint: endpoints[index].url.host, call: RPCRequest.chainID.summary,
        cause: "its chain id is \(id), and \(settings.chainID) is configured")
      members.withLock { $0[index].machine.foundOnChain(id, error: error, now: .now) }
      throw error
    }
    members.withLock { $0[index].machine.chainVerified() }
    observe(.up(host: endpoints[index].url.host))
  }

  func failed(_ index: Int, _ error: ChainError) {
    let wentDown = members.withLock { members in
      let before = members[index].machine.phase
      // A wrong chain has its own pause already.
      if error.code != .wrongChain { members[index].machine.failed(error, now: .now) }
      return before == .serving && members[index].machine.phase != .serving || error.code == .wrongChain
    }
    if wentDown { observe(.down(host: endpoints[index].url.host, error: error)) }
  }

  private func noteHead(in results: [RPCResult], of requests: [RPCRequest], at index: Int) {
    guard let position = requests.firstIndex(of: .head), case .header(let header) = results[position] else { return }
    members.withLock { members in
      let best = members.compactMap { $0.machine.head?.number }.max() ?? 0
      members[index].machine.sawHead(header, best: max(best, header.number))
    }
  }

  // MARK: The race

  private enum Event: Sendable {
    case answer(Int, Result<[RPCResult], ChainError>)
    case isLate
    case isOver
  }

  private func run(
    _ race: inout Race<[RPCResult]>, _ ask: @escaping @Sendable (Int) async -> Result<[RPCResult], ChainError>
  ) async -> Result<[RPCResult], ChainError> {
    let (hedgeDelay, totalLimit) = (settings.hedgeDelay, settings.totalLimit)
    return await withTaskGroup(of: Event.self) { group in
      defer { group.cancelAll() }
      /// Returns the result when there is one.
      func perform(_ actions: [Race<[RPCResult]>.Action]) -> Result<[RPCResult], ChainError>? {
        for action in actions {
          switch action {
          case .ask(let index): group.addTask { .answer(index, await ask(index)) }
          case .finish(let value): return .success(value)
          case .fail(let error): return .failure(error)
          }
        }
        return nil
      }
      func addTimer(_ duration: Duration, _ event: Event) {
        group.addTask {
          do { try await Task.sleep(for: duration) } catch { return .isOver }
          return event
        }
      }
      addTimer(totalLimit, .isOver)
      addTimer(hedgeDelay, .isLate)
      var result = perform(race.start())
      while result == nil, let event = await group.next() {
        switch event {
        case .answer(let index, .success(let value)):
          result = perform(race.answered(index, value, isDoubtful: value.contains(where: \.isDoubtful)))
        case .answer(let index, .failure(let error)): result = perform(race.failed(index, error))
        case .isLate:
          result = perform(race.isLate())
          addTimer(hedgeDelay, .isLate)
        case .isOver: result = .failure(overdue(race.outstanding))
        }
      }
      noteLate(race.outstanding, since: result)
      return result ?? .failure(overdue(race.outstanding))
    }
  }

  private func overdue(_ outstanding: Set<Int>) -> ChainError {
    let hosts = outstanding.sorted().map { endpoints[$0].url.host }.joined(separator: ", ")
    return ChainError(Task.isCancelled ? .cancelled : .timedOut, endpoint: hosts, call: "")
  }

  /// Endpoints that another one overtook, though they were asked first.
  private func noteLate(_ outstanding: Set<Int>, since result: Result<[RPCResult], ChainError>?) {
    guard case .success? = result else { return }
    members.withLock { members in
      for index in outstanding {
        let error = ChainError(.timedOut, endpoint: endpoints[index].url.host, call: "")
        members[index].machine.wasLate(error, now: .now)
      }
    }
  }
}

extension ChainError {
  /// The same error with a name for the call where it has none yet.
  fileprivate func naming(call name: String) -> ChainError {
    guard call.isEmpty else { return self }
    return ChainError(code, endpoint: endpoint, call: name, cause: cause, retryAfter: retryAfter)
  }
}
