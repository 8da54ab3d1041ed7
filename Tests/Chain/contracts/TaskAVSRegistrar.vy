# pragma version 0.4.3
# pragma evm-version london
"""The configuration of an AVS, as Hourglass's TaskAVSRegistrar gives it. What changes it is for tests and open to all."""

struct AvsConfig:
    aggregatorOperatorSetId: uint32
    executorOperatorSetIds: DynArray[uint32, 16]

event AvsConfigSet:
    aggregatorOperatorSetId: uint32

config: AvsConfig

@external
def setAvsConfig(aggregatorSet: uint32, first: uint32, count: uint32):
    """The executor sets are `first` and those after it, `count` of them."""
    self.config.aggregatorOperatorSetId = aggregatorSet
    self.config.executorOperatorSetIds = []
    for index: uint32 in range(count, bound=16):
        self.config.executorOperatorSetIds.append(first + index)
    log AvsConfigSet(aggregatorOperatorSetId=aggregatorSet)

@external
@view
def getAvsConfig() -> AvsConfig:
    return self.config
