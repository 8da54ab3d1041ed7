// Package main is the grpc-go peer of the transport benchmark: the service ponos.transport.Echo with plain bytes as messages, as a
// server, and as a client that makes calls as fast as they are answered. The Swift peer (Benchmarks/Sources/TransportPeer) takes
// the same arguments and prints the same figures.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const service = "ponos.transport.Echo"

// rawCodec passes messages on as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (rawCodec) Name() string                               { return "raw" }
func (rawCodec) String() string                             { return "raw" }

func main() {
	if len(os.Args) < 4 {
		exit("usage: peer serve grpc-go PORT | peer unary|chat|connect grpc-go PORT CONNECTIONS PARALLEL CALLS SIZE")
	}
	address := "127.0.0.1:" + os.Args[3]
	if os.Args[1] == "serve" {
		serve(address)
		return
	}
	load := load{mode: os.Args[1], address: address, connections: number(4), parallel: number(5), calls: number(6)}
	load.message = make([]byte, number(7))
	load.run()
}

func serve(address string) {
	listener, err := net.Listen("tcp", address)
	must(err)
	server := grpc.NewServer(
		grpc.CustomCodec(rawCodec{}), grpc.MaxConcurrentStreams(256),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service, HandlerType: (*interface{})(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
		Streams: []grpc.StreamDesc{{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}},
	}, struct{}{})
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go answerReadings()
	must(server.Serve(listener))
}

// answerReadings prints the processor time of this process for each line of standard input, and ends with it.
func answerReadings() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		// What the garbage collector has not come to yet is not in use.
		if lines.Text() == "collect" {
			runtime.GC()
		}
		fmt.Printf("%.0f\n", processorTime())
	}
	os.Exit(0)
}

func unary(_ interface{}, _ context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	var message []byte
	if err := decode(&message); err != nil {
		return nil, err
	}
	return &message, nil
}

func chat(_ interface{}, stream grpc.ServerStream) error {
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return nil
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

type load struct {
	mode, address                string
	connections, parallel, calls int
	message                      []byte
}

func (l load) run() {
	var clients []*grpc.ClientConn
	for i := 0; i < l.connections; i++ {
		client := dial(l.address)
		for warm := 0; warm < 200; warm++ {
			l.call(client)
		}
		clients = append(clients, client)
	}
	each := l.calls / (l.connections * l.parallel)
	begin, cpu := time.Now(), processorTime()
	var group sync.WaitGroup
	for _, client := range clients {
		for worker := 0; worker < l.parallel; worker++ {
			group.Add(1)
			go func(client *grpc.ClientConn) {
				defer group.Done()
				l.work(client, each)
			}(client)
		}
	}
	group.Wait()
	seconds, made := time.Since(begin).Seconds(), float64(each*l.connections*l.parallel)
	fmt.Printf("%.1f %.1f %.1f\n", made/seconds, seconds*1e6/float64(each), (processorTime()-cpu)/made)
}

func (l load) work(client *grpc.ClientConn, count int) {
	switch l.mode {
	case "connect":
		for i := 0; i < count; i++ {
			client := dial(l.address)
			l.call(client)
			must(client.Close())
		}
	case "chat":
		l.chat(client, count)
	default:
		for i := 0; i < count; i++ {
			l.call(client)
		}
	}
}

func (l load) call(client *grpc.ClientConn) {
	var answer []byte
	must(client.Invoke(context.Background(), "/"+service+"/Unary", &l.message, &answer))
	l.check(answer)
}

func (l load) chat(client *grpc.ClientConn, turns int) {
	stream, err := client.NewStream(
		context.Background(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Chat")
	must(err)
	for i := 0; i < turns; i++ {
		var answer []byte
		must(stream.SendMsg(&l.message))
		must(stream.RecvMsg(&answer))
		l.check(answer)
	}
	must(stream.CloseSend())
}

func (l load) check(answer []byte) {
	if len(answer) != len(l.message) {
		exit("an answer has another length than its question")
	}
}

func dial(address string) *grpc.ClientConn {
	client, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithBlock(), grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	must(err)
	return client
}

// processorTime is the user and system time of this process in microseconds.
func processorTime() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Sec+usage.Stime.Sec)*1e6 + float64(usage.Utime.Usec+usage.Stime.Usec)
}

func number(index int) int {
	if index >= len(os.Args) {
		exit("an argument is missing")
	}
	value, err := strconv.Atoi(os.Args[index])
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		exit(err.Error())
	}
}

func exit(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}
