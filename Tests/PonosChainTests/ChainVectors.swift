import Foundation
import PonosChain
import PonosCore
import PonosTesting

/// Calls of the deployed contracts with their answers, as an EVM executed them (`Tests/Vectors/chain-vectors.json`).
struct ChainVectors: Decodable {
  struct Vector: Decodable {
    let name: String
    let to: String
    let data: String
    let result: String?
    let revert: String?
  }

  let vectors: [Vector]

  static func named(_ name: String) throws -> Vector {
    let all = try Vectors.read("chain-vectors.json", as: ChainVectors.self).vectors
    guard let vector = all.first(where: { $0.name == name }) else { throw MissingVector(what: "no vector \(name)") }
    return vector
  }
}

extension ChainVectors.Vector {
  var contract: EthereumAddress {
    get throws {
      guard let address = EthereumAddress(hex: to) else { throw MissingVector(what: "\(to) is no address") }
      return address
    }
  }

  /// How the call ended.
  var outcome: CallOutcome {
    get throws {
      guard let hex = result ?? revert, let bytes = Hex.decode(hex) else { throw MissingVector(what: "no answer in \(name)") }
      return result == nil ? .reverted(bytes) : .returned(bytes)
    }
  }

  /// The argument words after the selector, from `index` on.
  func word(_ index: Int) throws -> [UInt8] {
    guard let bytes = Hex.decode(data), bytes.count >= 36 + 32 * index else { throw MissingVector(what: "no word \(index)") }
    return Array(bytes[(4 + 32 * index)..<(36 + 32 * index)])
  }

  func address(_ index: Int) throws -> EthereumAddress {
    EthereumAddress(unchecked: Array(try word(index).suffix(20)))
  }

  /// The operator set in the words from `index` on.
  func operatorSet(_ index: Int) throws -> OperatorSet {
    let id = try word(index + 1).suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return OperatorSet(avs: try address(index), id: id)
  }

  func taskID(_ index: Int) throws -> TaskID { TaskID(unchecked: try word(index)) }
}

/// The file of vectors lacks what a test asks of it.
struct MissingVector: Error {
  let what: String
}
