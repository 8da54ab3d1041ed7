/// Where a setting stands: keys and list positions from the root down, written `avsPerformers[0].image.tag`.
package struct ConfigurationPath: Hashable, Sendable, CustomStringConvertible {
  package enum Step: Hashable, Sendable {
    case key(String)
    /// Counted from 0.
    case index(Int)
  }

  package var steps: [Step]

  package init(_ steps: [Step] = []) {
    self.steps = steps
  }

  package func appending(_ step: Step) -> ConfigurationPath {
    ConfigurationPath(steps + [step])
  }

  package func appending(key: String) -> ConfigurationPath {
    appending(.key(key))
  }

  package var description: String {
    var text = ""
    for step in steps {
      switch step {
      case .key(let key): text += text.isEmpty ? key : ".\(key)"
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }
}

extension ConfigurationPath: Comparable {
  /// Orders list entries by number, so that entry 2 comes before entry 10.
  package static func < (left: ConfigurationPath, right: ConfigurationPath) -> Bool {
    for (a, b) in zip(left.steps, right.steps) where a != b {
      switch (a, b) {
      case (.index(let a), .index(let b)): return a < b
      case (.key(let a), .key(let b)): return a < b
      case (.index, .key): return true
      case (.key, .index): return false
      }
    }
    return left.steps.count < right.steps.count
  }
}
