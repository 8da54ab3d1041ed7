#if PONOS_SANITIZE_THREAD
  import PonosTransport

  /// The mutex that ThreadSanitizer sees, in place of the standard library's.
  typealias Mutex = PonosTransport.Mutex
#endif
