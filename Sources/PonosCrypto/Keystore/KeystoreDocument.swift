import FoundationEssentials

/// A keystore's JSON as it is on disk, EIP-2335 and Web3 alike; nothing in it is checked but the kinds of its fields.
struct KeystoreDocument: Codable {
  var version: WholeNumber?
  var crypto: CryptoBlock
  /// Public key in hex (EIP-2335).
  var pubkey: String?
  /// Public key in hex (older BN254 keystores).
  var publicKey: String?
  /// Ethereum address in hex, mostly without `0x` (Web3).
  var address: String?
  /// Curve, as the public executor's key library writes it.
  var curveType: String?
  /// Curve, as the EigenLayer command line writes it.
  var curve: String?
  var description: String?
  var path: String?
  var uuid: String?
  var id: String?

  enum CodingKeys: String, CodingKey {
    case version, crypto, pubkey, publicKey, address, curveType, curve, description, path, uuid, id
  }

  enum CryptoBlock: Codable {
    case eip2335(EIP2335Block)
    case web3(Web3Block)
  }

  struct EIP2335Block: Codable {
    var kdf: Module<KDFParameters>
    var checksum: Module<Empty>
    var cipher: Module<CipherParameters>
  }

  struct Module<Parameters: Codable>: Codable {
    var function: String
    var params: Parameters
    /// Hex, or empty.
    var message: String
  }

  struct Empty: Codable {}

  struct Web3Block: Codable {
    var cipher: String
    var ciphertext: String
    var cipherparams: CipherParameters
    var kdf: String
    var kdfparams: KDFParameters
    var mac: String
  }

  struct CipherParameters: Codable {
    /// 16 bytes in hex.
    var iv: String
  }

  /// Parameters of scrypt (n, r, p) or of PBKDF2 (c, prf).
  struct KDFParameters: Codable {
    var dklen: WholeNumber
    var salt: String
    var n: WholeNumber?
    var r: WholeNumber?
    var p: WholeNumber?
    var c: WholeNumber?
    var prf: String?
  }

  /// An integer. Its decoding error says where it stands, which the decoder's own does not.
  struct WholeNumber: Codable, ExpressibleByIntegerLiteral {
    var value: Int

    init(_ value: Int) { self.value = value }
    init(integerLiteral value: Int) { self.value = value }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      guard let value = try? container.decode(Int.self) else {
        let context = DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "no whole number")
        throw DecodingError.typeMismatch(Int.self, context)
      }
      self.value = value
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
  }
}

extension KeystoreDocument {
  /// Where ethers puts the encrypted part.
  private enum CapitalKeys: String, CodingKey {
    case crypto = "Crypto"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let capital = try decoder.container(keyedBy: CapitalKeys.self)
    if capital.contains(.crypto) {
      guard !container.contains(.crypto) else {
        throw KeystoreError.malformed(field: "crypto", expected: "there once, and not a second time as \"Crypto\"")
      }
      crypto = try capital.decode(CryptoBlock.self, forKey: .crypto)
    } else {
      crypto = try container.decode(CryptoBlock.self, forKey: .crypto)
    }
    version = try container.decodeIfPresent(WholeNumber.self, forKey: .version)
    pubkey = try container.decodeIfPresent(String.self, forKey: .pubkey)
    publicKey = try container.decodeIfPresent(String.self, forKey: .publicKey)
    address = try container.decodeIfPresent(String.self, forKey: .address)
    curveType = try container.decodeIfPresent(String.self, forKey: .curveType)
    curve = try container.decodeIfPresent(String.self, forKey: .curve)
    description = try container.decodeIfPresent(String.self, forKey: .description)
    path = try container.decodeIfPresent(String.self, forKey: .path)
    uuid = try container.decodeIfPresent(String.self, forKey: .uuid)
    id = try container.decodeIfPresent(String.self, forKey: .id)
  }
}

extension KeystoreDocument.CryptoBlock {
  private enum Discriminator: String, CodingKey {
    case kdf
  }

  /// Web3 names its key derivation in a string where EIP-2335 has an object.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Discriminator.self)
    if (try? container.decode(String.self, forKey: .kdf)) != nil {
      self = .web3(try KeystoreDocument.Web3Block(from: decoder))
    } else {
      self = .eip2335(try KeystoreDocument.EIP2335Block(from: decoder))
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .eip2335(let block): try block.encode(to: encoder)
    case .web3(let block): try block.encode(to: encoder)
    }
  }
}

extension KeystoreDocument {
  /// Reads `json`; the error names the field at fault and quotes nothing.
  static func decode(_ json: [UInt8]) throws(KeystoreError) -> KeystoreDocument {
    do {
      return try JSONDecoder().decode(KeystoreDocument.self, from: Data(json))
    } catch let error as KeystoreError {
      throw error
    } catch DecodingError.keyNotFound(let key, let context) {
      throw .malformed(field: path(context.codingPath + [key]), expected: "present")
    } catch DecodingError.typeMismatch(let type, let context) {
      // An empty path means the root: valid JSON, but no object.
      if context.codingPath.isEmpty { throw .notJSON }
      throw .malformed(field: path(context.codingPath), expected: kind(type))
    } catch DecodingError.valueNotFound(let type, let context) {
      if context.codingPath.isEmpty { throw .notJSON }
      throw .malformed(field: path(context.codingPath), expected: kind(type))
    } catch {
      throw .notJSON
    }
  }

  /// The JSON text, indented, with its keys in order.
  func encode() throws(KeystoreError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(self))
    } catch {
      throw .libraryFailure
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.map(\.stringValue).joined(separator: ".")
  }

  private static func kind(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Int.Type: "a whole number"
    default: "an object"
    }
  }
}
