"""A chain of real EVM blocks (py-evm) with the contracts of `contracts/` in its genesis, of which any block can be replaced."""

import json
import os
import pathlib
import time

from eth import constants
from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.vm.forks.london import LondonVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_keys import keys
from eth_utils import keccak, to_canonical_address

# The addresses of EigenLayer's deployment on Sepolia, which local development chains copy.
ADDRESSES = {
    "AllocationManager": "0x42583067658071247ec8ce0a516a58f682002d07",
    "KeyRegistrar": "0xa4db30d08d8bbca00d40600bee9f029984db162a",
    "TaskMailbox": "0xb99cc53e8db7018f557606c2a5b066527bf96b26",
    "ECDSACertificateVerifier": "0xb3cd1a457dea9a9a6f6406c6419b1c326670a96f",
}
# Registrars of AVSs, so many that each test's AVS can have its own.
REGISTRARS = [f"0x{0xA0000 + index:040x}" for index in range(64)]
# A key that everybody knows (anvil's first), for transactions. Never use it for anything else.
SENDER = keys.PrivateKey(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
GAS_PRICE = 10**10


class Reverted(Exception):
    def __init__(self, data):
        super().__init__("execution reverted")
        self.data = data


class Block:
    """A block with what JSON-RPC tells of it."""

    def __init__(self, header, transactions, nonce):
        self.header = header
        self.transactions = transactions
        # Transactions of the sender up to and with this block.
        self.nonce = nonce

    @property
    def number(self):
        return self.header.block_number

    @property
    def hash(self):
        return self.header.hash


def runtime_code():
    """The code of every contract, by its name. scripts/build-chain.sh keeps it in the file that PONOS_CHAIN_CODE names."""
    kept = os.environ.get("PONOS_CHAIN_CODE")
    if kept and os.path.exists(kept):
        codes = json.loads(pathlib.Path(kept).read_text())
    else:
        codes = compile_contracts()
    return {name: bytes.fromhex(code[2:]) for name, code in codes.items()}


def compile_contracts():
    # Imported here, as the compiler takes a second to load.
    from vyper import compile_code

    folder = pathlib.Path(__file__).parent / "contracts"
    return {
        path.stem: compile_code(path.read_text(), output_formats=["bytecode_runtime"])["bytecode_runtime"]
        for path in sorted(folder.glob("*.vy"))
    }


class EVM:
    def __init__(self, chain_id, start=None, interval=12):
        self.chain_id = chain_id
        # Seconds between blocks, as their timestamps say.
        self.interval = interval
        vm = LondonVM.configure(consensus_class=NoProofConsensus)
        configuration = MiningChain.configure(
            "TestChain", vm_configuration=((constants.GENESIS_BLOCK_NUMBER, vm),), chain_id=chain_id)
        parameters = {
            "difficulty": 1, "gas_limit": 30_000_000, "extra_data": b"", "coinbase": constants.ZERO_ADDRESS,
            "timestamp": int(start if start is not None else time.time()) - interval, "nonce": b"\0" * 8,
            "mix_hash": b"\0" * 32, "base_fee_per_gas": 10**9,
        }
        self.chain = configuration.from_genesis(AtomicDB(), parameters, self._accounts())
        self.blocks = [Block(self.chain.get_canonical_head(), 0, 0)]
        self.by_hash = {self.blocks[0].hash: self.blocks[0]}
        self.salt = 0

    @staticmethod
    def _accounts():
        codes = runtime_code()
        accounts = {SENDER.public_key.to_canonical_address(): (10**30, b"")}
        for name, address in ADDRESSES.items():
            accounts[to_canonical_address(address)] = (0, codes[name])
        for address in REGISTRARS:
            accounts[to_canonical_address(address)] = (0, codes["TaskAVSRegistrar"])
        return {
            address: {"balance": balance, "nonce": 0, "code": code, "storage": {}}
            for address, (balance, code) in accounts.items()
        }

    @property
    def head(self):
        return self.blocks[-1]

    def mine(self, calls=()):
        """Appends a block with a transaction for each (to, data) of `calls`."""
        parent = self.head
        header = self.chain.create_header_from_parent(
            parent.header, timestamp=parent.header.timestamp + self.interval, extra_data=self.salt.to_bytes(4, "big"))
        vm = self.chain.get_vm(header)
        transactions = [self._sign(vm, parent.nonce + index, to, data) for index, (to, data) in enumerate(calls)]
        header, receipts, computations = vm.apply_all_transactions(transactions, header)
        for computation, (to, data) in zip(computations, calls):
            if computation.is_error:
                raise Reverted(computation.output)
        block = vm.set_block_transactions_and_withdrawals(vm.get_block(), header, transactions, receipts)
        header = vm.mine_block(block).block.header
        # The VM looks its parents up there; which of them are the chain is kept here.
        self.chain.chaindb.persist_header(header)
        mined = Block(header, len(transactions), parent.nonce + len(transactions))
        self.blocks.append(mined)
        self.by_hash[mined.hash] = mined
        return mined

    def _sign(self, vm, nonce, to, data):
        builder = vm.get_transaction_builder()
        unsigned = builder.create_unsigned_transaction(
            nonce=nonce, gas_price=GAS_PRICE, gas=5_000_000, to=to_canonical_address(to), value=0, data=data)
        return unsigned.as_signed_transaction(SENDER, chain_id=self.chain_id)

    def reorganise(self, depth, calls=(), blocks=None):
        """Replaces the last `depth` blocks by as many (or `blocks`) others, the first of them with `calls`."""
        del self.blocks[len(self.blocks) - depth:]
        self.salt += 1
        for index in range(blocks or depth):
            self.mine(calls if index == 0 else ())

    def is_canonical(self, block):
        return block.number < len(self.blocks) and self.blocks[block.number].hash == block.hash

    def call(self, to, data, block):
        """What a call returns on the state after `block`; raises `Reverted`."""
        state = self.chain.get_vm(block.header).state
        address = to_canonical_address(to)
        message = Message(
            to=address, sender=constants.ZERO_ADDRESS, value=0, data=data, code=state.get_code(address), gas=20_000_000,
            is_static=True)
        context = BaseTransactionContext(gas_price=0, origin=constants.ZERO_ADDRESS)
        computation = state.computation_class.apply_message(state, message, context)
        if computation.is_error:
            raise Reverted(computation.output)
        return computation.output


def selector(signature):
    return keccak(signature.encode())[:4]


if __name__ == "__main__":
    print(json.dumps(compile_contracts()))
