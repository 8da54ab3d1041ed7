import PonosCore

/// How an AVS's performers are talked to, and what they may answer.
extension ConfigurationAssembly {
  func interface(_ entry: ConfigurationSection) -> PerformerInterface {
    let http = entry.section("http")
    var interface = PerformerInterface.standard
    interface.port = entry[AVSKeys.port]
    if entry.choice("protocol") == "http", let taskPath = http.text("taskPath"), let healthPath = http.text("healthPath") {
      interface.style = .http(taskPath: taskPath, healthPath: healthPath)
    }
    return interface
  }

  func responseRules(_ section: ConfigurationSection) -> ResponseRules {
    var rules = ResponseRules.none
    let least = section[ResponseKeys.minBytes]
    let most = section[ResponseKeys.maxBytes]
    if least <= most {
      rules.lengths = least...most
    } else {
      report.add(
        .error, .conflict, key: section.path.appending(key: "minBytes"), origin: section.origin("minBytes"),
        "is larger than maxBytes, so no output would do", cure: "lower minBytes or raise maxBytes")
    }
    rules.prefix = section.text("prefix").flatMap { Hex.decode($0) } ?? []
    rules.format = format(section, lengths: rules.lengths)
    return rules
  }

  private func format(_ section: ConfigurationSection, lengths: ClosedRange<Int>) -> ResponseRules.Format {
    let words = section.integer("abiWords")
    switch section.choice("format") {
    case "json": return .json
    case "abiWords":
      if let words, !lengths.contains(words * 32) {
        report.add(
          .error, .conflict, key: section.path.appending(key: "abiWords"), origin: section.origin("abiWords"),
          "\(words) words are \(words * 32) bytes, which minBytes and maxBytes do not allow", cure: "leave those two out")
      }
      return .abiWords(words)
    default:
      if words != nil {
        report.add(
          .error, .conflict, key: section.path.appending(key: "abiWords"), origin: section.origin("abiWords"),
          "has no effect without 'format: abiWords'", cure: "add that")
      }
      return .any
    }
  }
}
