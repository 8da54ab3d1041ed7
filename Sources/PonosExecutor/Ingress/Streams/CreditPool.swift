import PonosCore
import Synchronization

/// The credit of all sessions, granted from the free places of the queue.
package final class CreditPool: Sendable {
  private let ledger: Mutex<CreditLedger>
  private let room: @Sendable (EthereumAddress) -> QueueRoom

  /// - Parameters:
  ///   - aggregators: How many each AVS has: each may open a session.
  ///   - room: Tasks of the AVS that could be taken in now.
  package init(aggregators: [EthereumAddress: Int], room: @escaping @Sendable (EthereumAddress) -> QueueRoom) {
    ledger = Mutex(CreditLedger(aggregators: aggregators))
    self.room = room
  }

  fileprivate func take(upTo wanted: Int, avs: EthereumAddress, own: Int) -> Int {
    let room = room(avs)
    return ledger.withLock { $0.take(upTo: wanted, avs: avs, own: own, room: room) }
  }

  fileprivate func giveBack(_ count: Int, avs: EthereumAddress) {
    ledger.withLock { $0.giveBack(count, avs: avs) }
  }

  /// Credit held by the sessions of an AVS.
  package func held(by avs: EthereumAddress) -> Int { ledger.withLock { $0.held(by: avs) } }
}

/// The credit that one session holds. All of it goes back to the pool when the session ends.
final class SessionCredit: Sendable {
  private struct State {
    var held = 0
    var isClosed = false
  }

  private let pool: CreditPool
  private let avs: EthereumAddress
  private let state = Mutex(State())

  init(pool: CreditPool, avs: EthereumAddress) {
    self.pool = pool
    self.avs = avs
  }

  func take(upTo wanted: Int) -> Int {
    state.withLock { state in
      if state.isClosed { return 0 }
      let count = pool.take(upTo: wanted, avs: avs, own: state.held)
      state.held += count
      return count
    }
  }

  func giveBack(_ count: Int) {
    state.withLock { state in
      let count = min(count, state.held)
      state.held -= count
      pool.giveBack(count, avs: avs)
    }
  }

  func close() {
    state.withLock { state in
      pool.giveBack(state.held, avs: avs)
      state = State(held: 0, isClosed: true)
    }
  }
}
