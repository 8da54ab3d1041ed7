// Package main is a peer of the daemon: the same promises for a task, with other means (grpc-go, Badger with synchronous writes,
// libsecp256k1). A submission is verified, written down durably, handed to the performer, its digest recorded durably unless another one
// is, signed twice with both signatures checked, its result written down durably, and answered. Figures of the daemon are read beside
// those of this program, taken in turn on the same machine.
//
// It does no more than that: no queue, limits, recovery, performers' lives, metrics or curves besides secp256k1.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/dgraph-io/badger"
	"golang.org/x/crypto/sha3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

const (
	submitService  = "eigenlayer.hourglass.v1.ExecutorService"
	performMethod  = "/eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask"
	certificate    = "ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)"
	performTimeout = 90 * time.Second
)

// peer is what a submission needs.
type peer struct {
	store      *badger.DB
	performer  *grpc.ClientConn
	key        *key
	operator   []byte
	aggregator []byte
	domain     []byte
	typeHash   []byte
}

// key is the operator's signing key and the address that its signatures are checked against.
type key struct {
	scalar  []byte
	address []byte
}

func main() {
	listen := flag.String("listen", "", "address to listen on")
	performer := flag.String("performer", "", "address of the performer")
	directory := flag.String("store", "", "directory of the database")
	scalar := flag.String("key", "", "signing key, hex")
	operator := flag.String("operator", "", "the operator's address, hex")
	aggregator := flag.String("aggregator", "", "address of the aggregator's key, hex")
	flag.Parse()

	options := badger.DefaultOptions(*directory).WithSyncWrites(true).WithLogger(nil)
	store, err := badger.Open(options)
	must(err)
	connection, err := grpc.Dial(
		*performer, grpc.WithInsecure(), grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	must(err)
	p := &peer{
		store: store, performer: connection, operator: unhex(*operator), aggregator: unhex(*aggregator),
		// Of a verifier contract; any address is as good here.
		domain: hash([]byte("domain")), typeHash: hash([]byte(certificate)),
	}
	p.key = &key{scalar: unhex(*scalar)}
	p.key.address = addressOfKey(p.key.scalar)
	listener, err := net.Listen("tcp", *listen)
	must(err)
	server := grpc.NewServer(
		grpc.CustomCodec(rawCodec{}), grpc.MaxConcurrentStreams(1024), grpc.MaxRecvMsgSize(16<<20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: submitService, HandlerType: (*interface{})(nil),
		Methods: []grpc.MethodDesc{{MethodName: "SubmitTask", Handler: submit}},
	}, p)
	go stopOnSignal(server)
	must(server.Serve(listener))
	must(store.Close())
}

func submit(srv interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	var message []byte
	if err := decode(&message); err != nil {
		return nil, err
	}
	task, err := readSubmission(message)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	answer, err := srv.(*peer).run(ctx, task, message)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &answer, nil
}

// run takes a submission to its answer.
func (p *peer) run(ctx context.Context, task *submission, message []byte) ([]byte, error) {
	if signer, err := recoverAddress(task.digest(), task.signature); err != nil || !bytes.Equal(signer, p.aggregator) {
		return nil, errors.New("the signature is not the aggregator's")
	}
	known, err := p.accept(task, message)
	if err != nil || known != nil {
		return known, err
	}
	output, err := p.perform(ctx, task)
	if err != nil {
		return nil, err
	}
	digest := p.certificate(task, output)
	if err := p.recordDigest(task, digest); err != nil {
		return nil, err
	}
	result, err := p.key.sign(digest)
	if err != nil {
		return nil, err
	}
	auth, err := p.key.sign(hash(task.id, word(task.avs), word(p.operator), number(uint64(task.set)), hash(result)))
	if err != nil {
		return nil, err
	}
	answer := task.answer(p.operator, output, result, auth)
	return answer, p.finish(task, answer)
}

// accept writes a submission down, durably; returns the stored answer of one that is known.
func (p *peer) accept(task *submission, message []byte) (known []byte, err error) {
	err = p.store.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(append([]byte("t"), task.id...))
		if err == badger.ErrKeyNotFound {
			return txn.Set(append([]byte("t"), task.id...), append([]byte{0}, message...))
		}
		if err != nil {
			return err
		}
		return item.Value(func(value []byte) error {
			if value[0] == 0 {
				return errors.New("the task is under way")
			}
			known = append([]byte{}, value[1:]...)
			return nil
		})
	})
	return known, err
}

// recordDigest records, durably, that this digest is the one that may be signed for a task; fails when another one is.
func (p *peer) recordDigest(task *submission, digest []byte) error {
	return p.store.Update(func(txn *badger.Txn) error {
		key := append([]byte("d"), task.id...)
		item, err := txn.Get(key)
		if err == badger.ErrKeyNotFound {
			return txn.Set(key, digest)
		}
		if err != nil {
			return err
		}
		return item.Value(func(value []byte) error {
			if !bytes.Equal(value, digest) {
				return errors.New("another digest is recorded")
			}
			return nil
		})
	})
}

// finish writes the answer down, durably, in the place of the submission.
func (p *peer) finish(task *submission, answer []byte) error {
	return p.store.Update(func(txn *badger.Txn) error {
		return txn.Set(append([]byte("t"), task.id...), append([]byte{1}, answer...))
	})
}

func (p *peer) perform(ctx context.Context, task *submission) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, performTimeout)
	defer cancel()
	request := appendBytes(appendBytes(nil, 1, []byte(task.idText)), 2, task.payload)
	var reply []byte
	if err := p.performer.Invoke(ctx, performMethod, &request, &reply); err != nil {
		return nil, err
	}
	var output []byte
	err := eachField(reply, func(field int, _ uint64, value []byte) {
		if field == 2 {
			output = value
		}
	})
	return output, err
}

func (p *peer) certificate(task *submission, output []byte) []byte {
	padding := make([]byte, (32-len(output)%32)%32)
	message := hash(task.id, number(0x40), number(uint64(len(output))), output, padding)
	structHash := hash(p.typeHash, number(uint64(task.timestamp)), message)
	return hash([]byte{0x19, 0x01}, p.domain, structHash)
}

// sign makes a signature and checks it before it is used.
func (k *key) sign(digest []byte) ([]byte, error) {
	signature, err := signRecoverable(k.scalar, digest)
	if err != nil {
		return nil, err
	}
	if signer, err := recoverAddress(digest, signature); err != nil || !bytes.Equal(signer, k.address) {
		return nil, errors.New("a signature of our own does not verify")
	}
	return signature, nil
}

// hash is Keccak-256 of the parts one after the other.
func hash(parts ...[]byte) []byte {
	state := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		state.Write(part)
	}
	return state.Sum(nil)
}

// word and number give a value 32 bytes, as Solidity does.
func word(bytes []byte) []byte { return append(make([]byte, 32-len(bytes)), bytes...) }

func number(value uint64) []byte {
	word := make([]byte, 32)
	binary.BigEndian.PutUint64(word[24:], value)
	return word
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	must(err)
	return bytes
}

func stopOnSignal(server *grpc.Server) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	server.Stop()
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
