import Crypto
import CryptoExtras
import CSecp256k1
import CMclBN256
import CBlst
import PonosCore
