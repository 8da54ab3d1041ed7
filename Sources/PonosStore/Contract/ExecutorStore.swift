/// What the daemon must still know after a crash. Two implementations, `SQLiteStore` and `MemoryStore`, pass one conformance
/// suite. Only the composition root has all of it; every other user takes the parts that it needs.
///
/// A write has reached the disk when its call returns (`SQLiteStore`). Writes of concurrent callers share a commit. A call that
/// throws has changed nothing. A caller's cancellation does not stop a write: it ends as if the caller had stayed.
package typealias ExecutorStore = TaskStore & DigestStore & PerformerStore & DeliveryStore & StoreUpkeep
