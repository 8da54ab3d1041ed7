/// What a performer's reply must satisfy before it is signed.
package enum ResponseChecks {
  /// Aggregators drop results of 1.5 MiB (1,572,864 bytes) and more.
  package static let maxOutputBytes = 1_572_863

  /// Throws `.wrongTaskID` unless the reply echoes the id's text (in either case of its digits), and `.outputTooLarge` beyond `maxOutputBytes`.
  package static func check(
    echoedID: some Collection<UInt8>, outputCount: Int, for id: TaskID
  ) throws(TaskFailure) {
    guard TaskID(hex: String(decoding: echoedID, as: UTF8.self)) == id else { throw .wrongTaskID }
    guard outputCount <= maxOutputBytes else { throw .outputTooLarge(limit: maxOutputBytes) }
  }

  /// Throws `.outputInvalid` unless `output` keeps `rules`.
  package static func check(_ output: [UInt8], by rules: ResponseRules) throws(TaskFailure) {
    if let violation = rules.violation(in: output) { throw .outputInvalid(violation) }
  }
}
