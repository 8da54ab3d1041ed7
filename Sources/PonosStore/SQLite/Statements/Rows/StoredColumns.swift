import Foundation
import GRDB
import PonosCore

/// The columns of a row, read by position and without trust: a damaged file may hold anything, and GRDB's own subscripts end the
/// process when a value is not of the type asked for.
struct StoredColumns {
  let row: Row
  /// What the row is of, for messages.
  let subject: String

  func integer(_ index: Int) throws -> Int64 {
    guard let value = try optionalInteger(index) else { throw damaged }
    return value
  }

  func optionalInteger(_ index: Int) throws -> Int64? {
    switch row[index] as StoredValue? {
    case .integer(let number): return number
    case nil: return nil
    case .text, .bytes, .other: throw damaged
    }
  }

  /// An integer that fits into `Value`.
  func number<Value: FixedWidthInteger>(_ index: Int) throws -> Value {
    guard let value = Value(exactly: try integer(index)) else { throw damaged }
    return value
  }

  func text(_ index: Int) throws -> String {
    guard let value = try optionalText(index) else { throw damaged }
    return value
  }

  func optionalText(_ index: Int) throws -> String? {
    switch row[index] as StoredValue? {
    case .text(let text): return text
    case nil: return nil
    case .integer, .bytes, .other: throw damaged
    }
  }

  func bytes(_ index: Int) throws -> [UInt8] {
    guard let value = try optionalBytes(index) else { throw damaged }
    return value
  }

  func optionalBytes(_ index: Int) throws -> [UInt8]? {
    switch row[index] as StoredValue? {
    case .bytes(let bytes): return bytes
    case nil: return nil
    case .integer, .text, .other: throw damaged
    }
  }

  func fixed<Value: FixedBytes>(_ index: Int) throws -> Value {
    guard let value = Value(try bytes(index)) else { throw damaged }
    return value
  }

  func operatorSet(avs: Int, id: Int) throws -> OperatorSet {
    OperatorSet(avs: try fixed(avs), id: try number(id))
  }

  /// Throws unless the seal in column `index` is `expected`.
  func check(seal index: Int, is expected: [UInt8]) throws {
    guard has(seal: index, expected) else { throw damaged }
  }

  /// Whether the seal in column `index` is `expected`.
  func has(seal index: Int, _ expected: [UInt8]) -> Bool {
    if case .bytes(let seal) = row[index] as StoredValue? { seal == expected } else { false }
  }

  var damaged: StoreError {
    StoreError(.damaged, "the record of \(subject) is damaged in the database; run 'state verify' and restore a backup")
  }
}
