package main

/*
#cgo pkg-config: libsecp256k1
#include <secp256k1.h>
#include <secp256k1_recovery.h>

static secp256k1_context *shared;

static void prepare(void) { shared = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY); }

static int sign(const unsigned char *key, const unsigned char *digest, unsigned char *out) {
  secp256k1_ecdsa_recoverable_signature signature;
  int id = 0;
  if (!secp256k1_ecdsa_sign_recoverable(shared, &signature, digest, key, NULL, NULL)) return 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(shared, out, &id, &signature);
  out[64] = (unsigned char)(id + 27);
  return 1;
}

static int write_key(const secp256k1_pubkey *key, unsigned char *out) {
  size_t size = 65;
  return secp256k1_ec_pubkey_serialize(shared, out, &size, key, SECP256K1_EC_UNCOMPRESSED);
}

static int recover(const unsigned char *digest, const unsigned char *in, unsigned char *out) {
  secp256k1_ecdsa_recoverable_signature signature;
  secp256k1_pubkey key;
  int id = in[64] >= 27 ? in[64] - 27 : in[64];
  if (id > 3 || !secp256k1_ecdsa_recoverable_signature_parse_compact(shared, &signature, in, id)) return 0;
  return secp256k1_ecdsa_recover(shared, &key, &signature, digest) && write_key(&key, out);
}

static int public_key(const unsigned char *scalar, unsigned char *out) {
  secp256k1_pubkey key;
  return secp256k1_ec_pubkey_create(shared, &key, scalar) && write_key(&key, out);
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

func init() { C.prepare() }

func pointer(bytes []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(&bytes[0])) }

func signRecoverable(scalar, digest []byte) ([]byte, error) {
	signature := make([]byte, 65)
	if C.sign(pointer(scalar), pointer(digest), pointer(signature)) == 0 {
		return nil, errors.New("the key cannot sign")
	}
	return signature, nil
}

// recoverAddress is the address of whoever has made a signature.
func recoverAddress(digest, signature []byte) ([]byte, error) {
	key := make([]byte, 65)
	if C.recover(pointer(digest), pointer(signature), pointer(key)) == 0 {
		return nil, errors.New("the signature is none")
	}
	return hash(key[1:])[12:], nil
}

func addressOfKey(scalar []byte) []byte {
	key := make([]byte, 65)
	if C.public_key(pointer(scalar), pointer(key)) == 0 {
		panic("the key is none")
	}
	return hash(key[1:])[12:]
}
