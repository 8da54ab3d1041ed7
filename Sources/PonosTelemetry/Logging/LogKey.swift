/// The keys of structured log fields, so that one thing has one name in every line. No line has a key that is not among them.
package enum LogKey {
  // MARK: Whom and what it is about

  /// Task id, `0x` and 64 hex digits.
  package static let taskID = "task_id"
  /// AVS address.
  package static let avs = "avs"
  package static let operatorSet = "operator_set"
  package static let aggregator = "aggregator"
  /// Address of the operator.
  package static let operatorAddress = "operator"
  package static let performerID = "performer_id"
  package static let containerID = "container_id"
  package static let deploymentID = "deployment_id"
  package static let networkID = "network_id"
  package static let image = "image"
  /// Number of a session with an aggregator, counted from the start of the daemon.
  package static let session = "session"
  /// Remote end of a connection, host and port.
  package static let peer = "peer"
  /// Who made a management call.
  package static let caller = "caller"
  /// A party whose events are counted together: an aggregator, an AVS, a host.
  package static let source = "source"
  /// Name of a service of this daemon.
  package static let service = "service"
  /// An endpoint of the chain, by its host; never its URL, which may carry a key.
  package static let endpoint = "endpoint"
  /// A call of the chain's API.
  package static let call = "call"
  package static let address = "address"
  package static let port = "port"
  package static let path = "path"
  package static let version = "version"
  package static let curve = "curve"
  package static let state = "state"
  package static let attempt = "attempt"

  // MARK: What went wrong

  /// Stable snake_case code of a refusal or failure.
  package static let code = "code"
  /// What an operating error said.
  package static let error = "error"
  /// Last lines of a container's output.
  package static let logTail = "log_tail"
  /// Failpoints that are armed.
  package static let failpoint = "failpoint"

  // MARK: Amounts

  /// A number of things the message names.
  package static let count = "count"
  /// How long something took in seconds, a decimal number.
  package static let duration = "seconds"
  /// Time until something is tried again in seconds, a decimal number.
  package static let delay = "delay_seconds"
  /// Time that something was given in seconds, a decimal number.
  package static let limit = "limit_seconds"
  /// A size in bytes.
  package static let bytes = "bytes"
  /// Faults that were found.
  package static let faults = "faults"
  /// Things left out that the message names.
  package static let dropped = "dropped"
  /// Things kept that the message names.
  package static let kept = "kept"
  /// Events of this kind and source that were counted instead of written since the last one that was.
  package static let suppressed = "suppressed"
  /// Files the process may have open.
  package static let openFiles = "open_files"
  /// Tasks found unfinished at the start.
  package static let unfinished = "unfinished"
  /// Unfinished tasks that were taken up again.
  package static let resumed = "resumed"
  /// Unfinished tasks whose time was over.
  package static let expired = "expired"
  /// Records that are not what was written.
  package static let damaged = "damaged"

  // MARK: Audit entries

  /// What was audited, as a stable snake_case name; only audit entries have it.
  package static let audit = "audit"
  /// Keccak-256 of a task's payload.
  package static let payloadHash = "payload_hash"
  package static let referenceTimestamp = "reference_timestamp"
  package static let blockNumber = "block_number"
  package static let signature = "signature"
  /// AVS of the task that holds an id.
  package static let holderAVS = "holder_avs"
  /// Aggregator of the task that holds an id.
  package static let holderAggregator = "holder_aggregator"
  package static let recordedDigest = "recorded_digest"
  package static let refusedDigest = "refused_digest"
}
