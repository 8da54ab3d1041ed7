extension QueueConfig {
  /// The limits of a configuration that names none.
  package static var standard: QueueConfig { QueueConfig() }
}
