"""What a test may change on the chain, by name, as transactions of the contracts."""

import evm

CURVES = {"ecdsa": 1, "bn254": 2}


def word(value):
    """A number, or hex of at most 32 bytes, padded on the left."""
    if isinstance(value, str):
        value = int(value, 16)
    return value.to_bytes(32, "big")


def tail(content):
    """A byte string after the words, with its length in front."""
    return word(len(content)) + content + bytes(-len(content) % 32)


def call(contract, signature, *words, rest=b""):
    address = evm.ADDRESSES.get(contract, contract)
    return address, evm.selector(signature) + b"".join(word(value) for value in words) + rest


class Changes:
    def __init__(self):
        self.registrars = {}

    def registrar(self, avs):
        return self.registrars.setdefault(avs.lower(), evm.REGISTRARS[len(self.registrars)])

    def calls(self, changes):
        """The transactions that make `changes`."""
        return [made for change in changes for made in getattr(self, "_" + change["change"])(change)]

    def _avs(self, change):
        sets = change["executorSets"]
        registrar = self.registrar(change["avs"])
        return [
            call("AllocationManager", "setAVSRegistrar(address,address)", change["avs"], registrar),
            call(registrar, "setAvsConfig(uint32,uint32,uint32)", change["aggregatorSet"], sets[0], len(sets)),
        ]

    def _curve(self, change):
        signature = "configureOperatorSet((address,uint32),uint8)"
        return [call("KeyRegistrar", signature, change["avs"], change["set"], CURVES[change["curve"]])]

    def _join(self, change):
        signature = "addToSet(address,(address,uint32))"
        return [call("AllocationManager", signature, change["operator"], change["avs"], change["set"])]

    def _leave(self, change):
        signature = "removeFromSet(address,(address,uint32))"
        return [call("AllocationManager", signature, change["operator"], change["avs"], change["set"])]

    def _key(self, change):
        words = change["operator"], change["avs"], change["set"]
        if "ecdsa" in change:
            return [call("KeyRegistrar", "setECDSAKey(address,(address,uint32),address)", *words, change["ecdsa"])]
        signature = "setBN254Key(address,(address,uint32),(uint256,uint256),(uint256[2],uint256[2]))"
        return [call("KeyRegistrar", signature, *words, rest=bytes.fromhex(change["bn254"].removeprefix("0x")))]

    def _task(self, change):
        signature = "createTask(bytes32,address,uint32,uint32,uint96,uint8,bytes)"
        words = change["id"], change["avs"], change["set"], change["timestamp"], change["sla"], CURVES[change["curve"]], 7 * 32
        payload = bytes.fromhex(change["payload"].removeprefix("0x"))
        return [call("TaskMailbox", signature, *words, rest=tail(payload))]

    def _verify(self, change):
        return [call("TaskMailbox", "verifyTask(bytes32)", change["id"])]
