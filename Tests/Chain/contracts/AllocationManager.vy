# pragma version 0.4.3
# pragma evm-version london
"""Operator sets, with the view functions of EigenLayer's AllocationManager. What changes them is for tests and open to all."""

struct OperatorSet:
    avs: address
    id: uint32

event AVSRegistrarSet:
    avs: address
    registrar: address

event OperatorAddedToOperatorSet:
    operator: indexed(address)
    operatorSet: OperatorSet

event OperatorRemovedFromOperatorSet:
    operator: indexed(address)
    operatorSet: OperatorSet

registrars: HashMap[address, address]
members: HashMap[address, HashMap[uint32, DynArray[address, 100]]]

@external
def setAVSRegistrar(avs: address, registrar: address):
    self.registrars[avs] = registrar
    log AVSRegistrarSet(avs=avs, registrar=registrar)

@external
def addToSet(operator: address, operatorSet: OperatorSet):
    assert not self._isMember(operator, operatorSet)
    self.members[operatorSet.avs][operatorSet.id].append(operator)
    log OperatorAddedToOperatorSet(operator=operator, operatorSet=operatorSet)

@external
def removeFromSet(operator: address, operatorSet: OperatorSet):
    kept: DynArray[address, 100] = []
    for member: address in self.members[operatorSet.avs][operatorSet.id]:
        if member != operator:
            kept.append(member)
    self.members[operatorSet.avs][operatorSet.id] = kept
    log OperatorRemovedFromOperatorSet(operator=operator, operatorSet=operatorSet)

@external
@view
def getAVSRegistrar(avs: address) -> address:
    registrar: address = self.registrars[avs]
    return registrar if registrar != empty(address) else avs

@internal
@view
def _isMember(operator: address, operatorSet: OperatorSet) -> bool:
    return operator in self.members[operatorSet.avs][operatorSet.id]

@external
@view
def isMemberOfOperatorSet(operator: address, operatorSet: OperatorSet) -> bool:
    return self._isMember(operator, operatorSet)

@external
@view
def getMembers(operatorSet: OperatorSet) -> DynArray[address, 100]:
    return self.members[operatorSet.avs][operatorSet.id]
