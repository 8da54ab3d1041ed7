/// The number of a stream within its connection (RFC 9113 section 5.1.1).
package struct StreamID: Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
  package let rawValue: Int32

  package init(_ rawValue: Int32) { self.rawValue = rawValue }
  package init(integerLiteral value: Int32) { rawValue = value }

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
