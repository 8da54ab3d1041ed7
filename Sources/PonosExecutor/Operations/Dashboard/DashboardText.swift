import Foundation
import PonosCore

/// Numbers, times and identifiers as people read them.
enum DashboardText {
  /// `0x12345678…cdef`; short texts whole.
  static func ends(of text: String) -> String {
    text.count > 18 ? "\(text.prefix(10))…\(text.suffix(4))" : text
  }

  /// An image with only the beginning of its digest.
  static func image(_ reference: String) -> String {
    guard let at = reference.range(of: "@sha256:") else { return reference }
    return "\(reference[..<at.upperBound])\(reference[at.upperBound...].prefix(12))…"
  }

  /// With a thin space between groups of three digits.
  static func count(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[max(0, $0 - 3)..<$0]) }
    return (number < 0 ? "−" : "") + groups.reversed().joined(separator: "\u{2009}")
  }

  static func ago(_ time: UnixMilliseconds, now: UnixMilliseconds) -> String {
    now - time < 1000 ? "just now" : "\(span(.milliseconds(now - time))) ago"
  }

  /// The two largest units that say something: `250 ms`, `3.2 s`, `4 min 10 s`, `2 d 3 h`.
  static func span(_ duration: Duration) -> String {
    let milliseconds = Int64(duration / .milliseconds(1))
    let seconds = milliseconds / 1000
    switch seconds {
    case ..<1: return "\(milliseconds) ms"
    case ..<60: return "\(seconds).\(milliseconds % 1000 / 100) s"
    case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    default: return "\(seconds / 86400) d \(seconds % 86400 / 3600) h"
    }
  }
}
