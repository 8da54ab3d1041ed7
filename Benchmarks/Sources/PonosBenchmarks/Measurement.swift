import Foundation

/// What one contender did in one round.
struct Round {
  /// Operations finished; at least 1.
  var operations: Int
  /// Seconds from the first operation's start to the last one's end.
  var wall: Double
  /// Seconds of processor time, user and system, of the process that is measured.
  var cpu: Double
  /// Seconds each operation took, where the contender notes it; in any order.
  var latencies: [Double] = []
}

/// Something to measure: it works for about the given number of seconds and says what it did.
struct Contender {
  let name: String
  let run: (_ seconds: Double) async throws -> Round

  init(_ name: String, run: @escaping (_ seconds: Double) async throws -> Round) {
    self.name = name
    self.run = run
  }

  /// An operation that computes on the calling thread; `batch` of them are run between two looks at the clock, each
  /// counting as `operations`.
  static func computing(
    _ name: String, batch: Int = 8, operations: Int = 1, _ operation: @escaping () throws -> Void
  ) -> Contender {
    Contender(name) { seconds in
      let start = Clock.now
      let cpu = Clock.processCPU
      var count = 0
      repeat {
        for _ in 0..<batch { try operation() }
        count += batch * operations
      } while Clock.now - start < seconds
      return Round(operations: count, wall: Clock.now - start, cpu: Clock.processCPU - cpu)
    }
  }

  /// `callers` concurrent callers, each with one operation at a time under way. `operation` gets the number of its caller.
  static func calling(
    _ name: String, callers: Int, cpu processor: @escaping () throws -> Double = { Clock.processCPU },
    _ operation: @escaping @Sendable (_ caller: Int) async throws -> Void
  ) -> Contender {
    Contender(name) { seconds in
      let start = Clock.now
      let cpu = try processor()
      let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
        for caller in 0..<callers {
          group.addTask {
            var latencies: [Double] = []
            var now = Clock.now
            repeat {
              let begin = now
              try await operation(caller)
              now = Clock.now
              latencies.append(now - begin)
            } while now - start < seconds
            return latencies
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      return Round(
        operations: latencies.count, wall: Clock.now - start, cpu: try processor() - cpu, latencies: latencies)
    }
  }

  /// `callers` threads, each with one operation at a time under way that blocks it. `operation` gets the number of its caller.
  static func blocking(
    _ name: String, callers: Int, cpu processor: @escaping () throws -> Double,
    _ operation: @escaping @Sendable (_ caller: Int) throws -> Void
  ) -> Contender {
    Contender(name) { seconds in
      let start = Clock.now
      let cpu = try processor()
      let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
        for caller in 0..<callers {
          group.addTask { try await onThread { try repeated(until: start + seconds) { try operation(caller) } } }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      return Round(
        operations: latencies.count, wall: Clock.now - start, cpu: try processor() - cpu, latencies: latencies)
    }
  }

  /// What each repetition took.
  private static func repeated(until end: Double, _ operation: () throws -> Void) throws -> [Double] {
    var latencies: [Double] = []
    var now = Clock.now
    repeat {
      let begin = now
      try operation()
      now = Clock.now
      latencies.append(now - begin)
    } while now < end
    return latencies
  }

  private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
  }
}

/// Contenders that do the same work, the first of which is the floor: what the work costs with nothing of ours in it.
struct Comparison {
  /// Which cost the ratios are about.
  enum Figure: String, Codable {
    /// Processor time of one operation. Other load on the machine hardly moves it.
    case cpu
    /// Elapsed time divided by operations: the inverse of throughput.
    case time
    /// Median latency.
    case latency
  }

  let group: String
  let title: String
  let figure: Figure
  /// The floor, then ours.
  let contenders: [Contender]

  /// Warms each contender up, then runs them in turn, round after round, so that a slow spell of the machine hits all of them.
  func measure(rounds: Int, seconds: Double) async throws -> Outcome {
    for contender in contenders { _ = try await contender.run(seconds / 4) }
    var results = contenders.map { _ in [Round]() }
    for round in 0..<rounds {
      // Each round begins with another contender: nobody always runs on the caches its predecessor left.
      for step in contenders.indices {
        let index = (round + step) % contenders.count
        results[index].append(try await contenders[index].run(seconds))
      }
    }
    return Outcome(self, results)
  }
}

/// Clocks, in seconds.
enum Clock {
  /// Monotonic; only differences mean anything.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// User and system time of this process so far.
  static var processCPU: Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
  }
}
