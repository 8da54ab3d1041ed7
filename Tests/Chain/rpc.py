"""The part of the Ethereum JSON-RPC API that the executor uses, on the chain of `evm.py`, with the words of geth."""

import evm


class RPCError(Exception):
    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.body = {"code": code, "message": message}
        if data is not None:
            self.body["data"] = data


class View:
    """The chain as one endpoint sees it."""

    def __init__(self, chain):
        self.chain = chain
        # The last block it knows of; None for all of them.
        self.frozen_at = None
        self.chain_id = chain.chain_id
        # Blocks before the head whose state it keeps; None for all.
        self.state_depth = None
        # Whether its answers to calls differ from the others' in one bit.
        self.is_lying = False
        self.is_syncing = False

    @property
    def head(self):
        blocks = self.chain.blocks
        return blocks[-1] if self.frozen_at is None else blocks[min(self.frozen_at, len(blocks) - 1)]

    def answer(self, request):
        reply = {"jsonrpc": "2.0", "id": request.get("id")}
        try:
            method = getattr(self, "_" + request["method"], None)
            if method is None:
                raise RPCError(-32601, f"the method {request['method']} does not exist/is not available")
            reply["result"] = method(*request.get("params", []))
        except RPCError as error:
            reply["error"] = error.body
        return reply

    def _eth_chainId(self):
        return hex(self.chain_id)

    def _eth_syncing(self):
        return {"currentBlock": "0x1", "highestBlock": "0x2"} if self.is_syncing else False

    def _eth_blockNumber(self):
        return hex(self.head.number)

    def _eth_getBlockByNumber(self, number, _full):
        return self._json(self._block(number))

    def _eth_getBlockByHash(self, block_hash, _full):
        block = self.chain.by_hash.get(bytes.fromhex(block_hash[2:]))
        return self._json(block if block and block.number <= self.head.number else None)

    def _eth_call(self, call, block):
        block = self._state(block)
        try:
            output = self.chain.call(call["to"], bytes.fromhex(call["data"][2:]), block)
        except evm.Reverted as error:
            raise RPCError(3, "execution reverted", "0x" + error.data.hex()) from error
        if self.is_lying and output:
            output = output[:-1] + bytes([output[-1] ^ 1])
        return "0x" + output.hex()

    def _block(self, name):
        if name in ("latest", "pending"):
            return self.head
        number = int(name, 16)
        return self.chain.blocks[number] if number <= self.head.number else None

    def _state(self, name):
        if isinstance(name, dict):
            block = self.chain.by_hash.get(bytes.fromhex(name["blockHash"][2:]))
            if block is None or block.number > self.head.number:
                raise RPCError(-32000, "header for hash not found")
            if name.get("requireCanonical") and not self.chain.is_canonical(block):
                raise RPCError(-32000, "hash " + name["blockHash"] + " is not currently canonical")
        else:
            block = self._block(name)
            if block is None:
                raise RPCError(-32000, "header not found")
        if self.state_depth is not None and block.number + self.state_depth < self.head.number:
            raise RPCError(-32000, "missing trie node 1e08 (path ) state is not available")
        return block

    @staticmethod
    def _json(block):
        if block is None:
            return None
        header = block.header
        return {
            "number": hex(block.number), "hash": "0x" + block.hash.hex(), "parentHash": "0x" + header.parent_hash.hex(),
            "timestamp": hex(header.timestamp), "logsBloom": f"0x{header.bloom:0512x}",
            "stateRoot": "0x" + header.state_root.hex(), "gasUsed": hex(header.gas_used),
            "transactions": ["0x" + "00" * 32] * block.transactions,
        }
