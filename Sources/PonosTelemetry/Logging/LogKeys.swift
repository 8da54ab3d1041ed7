/// The keys of structured log fields, so that one thing has one name in every line.
package enum LogKey {
  /// Task id, `0x` and 64 hex digits.
  package static let taskID = "task_id"
  /// AVS address.
  package static let avs = "avs"
  package static let operatorSet = "operator_set"
  package static let aggregator = "aggregator"
  package static let performerID = "performer_id"
  package static let containerID = "container_id"
  package static let deploymentID = "deployment_id"
  package static let image = "image"
  package static let attempt = "attempt"
  package static let curve = "curve"
  package static let state = "state"
  /// Stable snake_case code of a refusal or failure.
  package static let code = "code"
  /// What an operating error said.
  package static let error = "error"
  /// A number of things the message names.
  package static let count = "count"
  /// Seconds, as a decimal number.
  package static let duration = "seconds"
  package static let address = "address"
  package static let port = "port"
  package static let path = "path"
  /// A size in bytes.
  package static let bytes = "bytes"
  /// Faults that were found.
  package static let faults = "faults"
  /// What was audited, as a stable snake_case name; only audit entries have it.
  package static let audit = "audit"
  package static let version = "version"
  /// Remote end of a connection.
  package static let peer = "peer"
}
