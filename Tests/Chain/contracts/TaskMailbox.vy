# pragma version 0.4.3
# pragma evm-version london
"""Tasks, with the view functions of Hourglass's TaskMailbox. What changes them is for tests and open to all."""

struct Consensus:
    consensusType: uint8
    value: Bytes[64]

struct TaskConfig:
    taskHook: address
    taskSLA: uint96
    feeToken: address
    curveType: uint8
    feeCollector: address
    consensus: Consensus
    taskMetadata: Bytes[64]

struct Task:
    creator: address
    creationTime: uint96
    avs: address
    avsFee: uint96
    refundCollector: address
    executorOperatorSetId: uint32
    feeSplit: uint16
    status: uint8
    isFeeRefunded: bool
    operatorTableReferenceTimestamp: uint32
    executorOperatorSetTaskConfig: TaskConfig
    payload: Bytes[4096]
    executorCert: Bytes[64]
    result: Bytes[64]

event TaskCreated:
    taskHash: indexed(bytes32)
    avs: indexed(address)

event TaskVerified:
    taskHash: indexed(bytes32)

CREATED: constant(uint8) = 1
VERIFIED: constant(uint8) = 2
EXPIRED: constant(uint8) = 3

tasks: HashMap[bytes32, Task]

@external
def createTask(
    taskHash: bytes32, avs: address, operatorSetId: uint32, referenceTimestamp: uint32, sla: uint96, curveType: uint8,
    payload: Bytes[4096]
):
    self.tasks[taskHash].creator = msg.sender
    self.tasks[taskHash].creationTime = convert(block.timestamp, uint96)
    self.tasks[taskHash].avs = avs
    self.tasks[taskHash].executorOperatorSetId = operatorSetId
    self.tasks[taskHash].status = CREATED
    self.tasks[taskHash].operatorTableReferenceTimestamp = referenceTimestamp
    self.tasks[taskHash].executorOperatorSetTaskConfig.taskSLA = sla
    self.tasks[taskHash].executorOperatorSetTaskConfig.curveType = curveType
    self.tasks[taskHash].executorOperatorSetTaskConfig.consensus.consensusType = 1
    self.tasks[taskHash].executorOperatorSetTaskConfig.consensus.value = abi_encode(convert(6667, uint16))
    self.tasks[taskHash].payload = payload
    log TaskCreated(taskHash=taskHash, avs=avs)

@external
def verifyTask(taskHash: bytes32):
    self.tasks[taskHash].status = VERIFIED
    log TaskVerified(taskHash=taskHash)

@internal
@view
def _status(taskHash: bytes32) -> uint8:
    task: Task = self.tasks[taskHash]
    deadline: uint256 = convert(task.creationTime, uint256) + convert(task.executorOperatorSetTaskConfig.taskSLA, uint256)
    if task.status == CREATED and block.timestamp > deadline:
        return EXPIRED
    return task.status

@external
@view
def getTaskStatus(taskHash: bytes32) -> uint8:
    return self._status(taskHash)

@external
@view
def getTaskInfo(taskHash: bytes32) -> Task:
    task: Task = self.tasks[taskHash]
    task.status = self._status(taskHash)
    return task
