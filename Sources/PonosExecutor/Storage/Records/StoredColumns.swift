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
    let value: DatabaseValue = row[index]
    switch value.storage {
    case .int64(let number): return number
    case .null: return nil
    case .double, .string, .blob: throw damaged
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
    let value: DatabaseValue = row[index]
    switch value.storage {
    case .string(let text): return text
    case .null: return nil
    case .int64, .double, .blob: throw damaged
    }
  }

  func bytes(_ index: Int) throws -> [UInt8] {
    guard let value = try optionalBytes(index) else { throw damaged }
    return value
  }

  func optionalBytes(_ index: Int) throws -> [UInt8]? {
    try row.withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } }
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
    guard try has(seal: index, expected) else { throw damaged }
  }

  /// Whether the seal in column `index` is `expected`.
  func has(seal index: Int, _ expected: [UInt8]) throws -> Bool {
    try row.withUnsafeData(atIndex: index) { data in
      data?.withUnsafeBytes { $0.count == expected.count && $0.elementsEqual(expected) } ?? false
    }
  }

  var damaged: StoreError {
    StoreError(.damaged, "the record of \(subject) is damaged in the database; run 'state verify' and restore a backup")
  }
}
