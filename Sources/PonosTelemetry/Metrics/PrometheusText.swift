/// The Prometheus text exposition format, version 0.0.4.
package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Families without series are left out, since they would say nothing.
  package static func render(_ families: [FamilySnapshot]) -> String {
    var text = ""
    for family in families where !family.series.isEmpty {
      let description = family.description
      text += "# HELP \(description.name) \(escapeHelp(description.help))\n"
      text += "# TYPE \(description.name) \(description.kind.rawValue)\n"
      for series in family.series { render(series, name: description.name, into: &text) }
    }
    return text
  }

  private static func render(_ series: FamilySnapshot.Series, name: String, into text: inout String) {
    switch series.value {
    case .value(let value):
      line(name, series.labels, value, into: &text)
    case .histogram(let histogram):
      var total: UInt64 = 0
      for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
        total += count
        line("\(name)_bucket", series.labels + [MetricLabel("le", number(bound))], Double(total), into: &text)
      }
      line("\(name)_sum", series.labels, histogram.sum, into: &text)
      line("\(name)_count", series.labels, Double(total), into: &text)
    }
  }

  private static func line(_ name: String, _ labels: [MetricLabel], _ value: Double, into text: inout String) {
    text += name
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.name)=\"\(escapeValue($0.value))\"" }.joined(separator: ",") + "}"
    }
    text += " \(number(value))\n"
  }

  /// Whole numbers without a fraction, others as short as they can be read back exactly.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return Int64(exactly: value).map(String.init) ?? "\(value)"
  }

  private static func escapeHelp(_ text: String) -> String {
    escape(text, quotes: false)
  }

  private static func escapeValue(_ text: String) -> String {
    escape(text, quotes: true)
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    // Scalars, not characters: a line feed may be half of a character.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// `name` with every character that the format does not allow in names replaced by `_`.
  package static func validName(_ name: String) -> String {
    var valid = String(
      String.UnicodeScalarView(
        name.unicodeScalars.map { scalar in
          switch scalar {
          case "a"..."z", "A"..."Z", "0"..."9", "_": scalar
          default: "_"
          }
        }))
    if valid.isEmpty || valid.unicodeScalars.first.map({ ("0"..."9").contains($0) }) == true { valid = "_" + valid }
    return valid
  }
}
