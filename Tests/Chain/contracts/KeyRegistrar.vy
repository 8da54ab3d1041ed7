# pragma version 0.4.3
# pragma evm-version london
"""Keys of operator sets, with the view functions of EigenLayer's KeyRegistrar. What changes them is for tests and open to all."""

struct OperatorSet:
    avs: address
    id: uint32

struct G1Point:
    X: uint256
    Y: uint256

struct G2Point:
    X: uint256[2]
    Y: uint256[2]

event OperatorSetConfigured:
    operatorSet: OperatorSet
    curveType: uint8

event KeyRegistered:
    operatorSet: OperatorSet
    operator: indexed(address)

event KeyDeregistered:
    operatorSet: OperatorSet
    operator: indexed(address)

ECDSA: constant(uint8) = 1
BN254: constant(uint8) = 2

curves: HashMap[address, HashMap[uint32, uint8]]
ecdsaKeys: HashMap[address, HashMap[uint32, HashMap[address, address]]]
g1Keys: HashMap[address, HashMap[uint32, HashMap[address, G1Point]]]
g2Keys: HashMap[address, HashMap[uint32, HashMap[address, G2Point]]]

@internal
@view
def _require(operatorSet: OperatorSet, curve: uint8):
    if self.curves[operatorSet.avs][operatorSet.id] != curve:
        raw_revert(method_id("InvalidCurveType()"))

@external
def configureOperatorSet(operatorSet: OperatorSet, curveType: uint8):
    if self.curves[operatorSet.avs][operatorSet.id] != 0:
        raw_revert(method_id("ConfigurationAlreadySet()"))
    self.curves[operatorSet.avs][operatorSet.id] = curveType
    log OperatorSetConfigured(operatorSet=operatorSet, curveType=curveType)

@external
def setECDSAKey(operator: address, operatorSet: OperatorSet, key: address):
    self._require(operatorSet, ECDSA)
    self.ecdsaKeys[operatorSet.avs][operatorSet.id][operator] = key
    if key == empty(address):
        log KeyDeregistered(operatorSet=operatorSet, operator=operator)
    else:
        log KeyRegistered(operatorSet=operatorSet, operator=operator)

@external
def setBN254Key(operator: address, operatorSet: OperatorSet, g1: G1Point, g2: G2Point):
    self._require(operatorSet, BN254)
    self.g1Keys[operatorSet.avs][operatorSet.id][operator] = g1
    self.g2Keys[operatorSet.avs][operatorSet.id][operator] = g2
    log KeyRegistered(operatorSet=operatorSet, operator=operator)

@external
@view
def getOperatorSetCurveType(operatorSet: OperatorSet) -> uint8:
    return self.curves[operatorSet.avs][operatorSet.id]

@external
@view
def getECDSAAddress(operatorSet: OperatorSet, operator: address) -> address:
    self._require(operatorSet, ECDSA)
    return self.ecdsaKeys[operatorSet.avs][operatorSet.id][operator]

@external
@view
def getBN254Key(operatorSet: OperatorSet, operator: address) -> (G1Point, G2Point):
    self._require(operatorSet, BN254)
    return (
        self.g1Keys[operatorSet.avs][operatorSet.id][operator],
        self.g2Keys[operatorSet.avs][operatorSet.id][operator],
    )
