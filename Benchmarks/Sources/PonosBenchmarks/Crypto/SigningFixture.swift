import PonosCore
import PonosCrypto

/// A result to sign, as the daemon signs one for each task.
struct SigningFixture {
  let certificate: CertificateDigest
  let taskID = TaskID(unchecked: [UInt8](repeating: 0x11, count: 32))
  let address = EthereumAddress(unchecked: [UInt8](repeating: 0x22, count: 20))
  var operatorSet: OperatorSet { OperatorSet(avs: address, id: 1) }

  init(curve: SignatureCurve) {
    let message = ResultMessage(taskID: taskID, result: [UInt8](repeating: 0x33, count: 32))
    certificate = .make(curve: curve, messageHash: message.digest, referenceTimestamp: 1, ecdsaVerifier: address)
  }

  func sign(with key: SigningKey) throws -> ResultSignatures {
    try key.signResult(certificate, taskID: taskID, operatorSet: operatorSet, operatorAddress: address)
  }
}
