import GRDB
import PonosCore
import Synchronization

extension SQLiteStore: StoreUpkeep {
  package func compact() async throws(StoreError) {
    let action = "compact the store"
    let outcome: Result<Void, StoreError>? = await withCheckedContinuation { continuation in
      let isOpen = pool.withLock { pool in
        pool?.asyncWriteWithoutTransaction { [checkpoints] in
          continuation.resume(returning: checkpoints.compact($0, action: action))
        } != nil
      }
      if !isOpen { continuation.resume(returning: nil) }
    }
    guard let outcome else { throw Self.closedError(action) }
    try outcome.get()
  }

  package func tryToWrite() async throws(StoreError) {
    try await writer.write("make a trial write") { try InstallationStatements.writeTrial($0) }
    try await writer.write("remove a trial write") { try InstallationStatements.removeTrial($0) }
  }

  package func check() async throws(StoreError) -> StoreFindings {
    guard pool.withLock({ $0 != nil }) else { throw Self.closedError("check the store") }
    return try await StoreVerification.run(path: file.path, depth: .quick)
  }

  package func close() async throws(StoreError) {
    await writer.close()
    let taken = pool.withLock { pool in
      defer { pool = nil }
      return pool
    }
    guard let taken else { return }
    // A barrier waits for the reads in flight.
    let outcome: Result<Void, StoreError> = await withCheckedContinuation { continuation in
      taken.asyncBarrierWriteWithoutTransaction { [checkpoints] database in
        continuation.resume(
          returning: database.mapError { StoreError($0, while: "close the store", otherwise: .writeFailed) }
            .flatMap { checkpoints.compact($0, action: "close the store") })
      }
    }
    defer { file.release() }
    do {
      try taken.close()
    } catch {
      throw StoreError(error, while: "close the store", otherwise: .writeFailed)
    }
    try outcome.get()
  }
}
