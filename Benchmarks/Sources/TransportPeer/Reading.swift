import Glibc

/// Clock and processor time of this process.
struct Reading {
  let clock: ContinuousClock.Instant
  /// User and system time, in microseconds.
  let cpu: Double

  static var now: Reading {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let microseconds = { (time: timeval) in Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
    return Reading(clock: .now, cpu: microseconds(usage.ru_utime) + microseconds(usage.ru_stime))
  }

  /// Prints what was done since this reading.
  ///
  /// - Parameter sequential: calls one worker made one after the other.
  func report(calls: Int, sequential: Int) {
    let end = Reading.now
    let seconds = Double((end.clock - clock) / .microseconds(1)) / 1e6
    let figures = [Double(calls) / seconds, seconds * 1e6 / Double(sequential), (end.cpu - cpu) / Double(calls)]
    print(figures.map { String(Double(Int($0 * 10)) / 10) }.joined(separator: " "))
  }
}
