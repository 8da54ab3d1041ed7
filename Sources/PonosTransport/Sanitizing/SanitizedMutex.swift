#if PONOS_SANITIZE_THREAD
  import Glibc

  /// Stands in for the standard library's mutex under ThreadSanitizer, which sees the locks of pthreads but not those of the module
  /// Synchronization, and would take everything such a lock guards for a race (scripts/sanitize.sh).
  package final class Mutex<Value>: @unchecked Sendable {
    // Unchecked: the lock guards the value.
    private var value: Value
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    package init(_ value: sending Value) {
      self.value = value
      lock.initialize(to: pthread_mutex_t())
      pthread_mutex_init(lock, nil)
    }

    deinit {
      pthread_mutex_destroy(lock)
      lock.deallocate()
    }

    package func withLock<Result: ~Copyable, Failure: Error>(
      _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      pthread_mutex_lock(lock)
      defer { pthread_mutex_unlock(lock) }
      return try body(&value)
    }
  }
#endif
