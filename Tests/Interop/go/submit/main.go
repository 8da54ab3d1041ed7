// Submits serialized tasks over one connection of grpc-go, or over one for each, and writes the replies; see ../../README.md for
// the files.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"ponos.test/gen/hourglass"
)

type reply struct {
	code uint32
	body []byte
}

// connections counts the connections that a channel opens.
type connections struct{ begun, ended int64 }

func (c *connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c *connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *connections) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		atomic.AddInt64(&c.begun, 1)
	case *stats.ConnEnd:
		atomic.AddInt64(&c.ended, 1)
	}
}

func main() {
	address := flag.String("address", "", "host:port of ExecutorService")
	requestsPath := flag.String("requests", "", "file of serialized TaskSubmissions")
	repliesPath := flag.String("replies", "", "file to write the replies to")
	count := flag.Int("count", 0, "calls; more than there are requests means they are sent again (0: each once)")
	concurrency := flag.Int("concurrency", 1, "calls in flight")
	idle := flag.Duration("idle", 0, "pause without calls after the first half, to let keepalive pings go out")
	stock := flag.Bool("stock", false, "behave as the public aggregator: a connection for each task, never closed, and retries")
	how := habits{retries: 5}
	flag.DurationVar(&how.attempt, "attempt", 10*time.Second, "with -stock: the time of one attempt")
	flag.DurationVar(&how.delay, "delay", time.Second, "with -stock: the pause after the first attempt")
	flag.DurationVar(&how.spread, "spread", 0, "with -stock: the time over which tasks are begun")
	flag.DurationVar(&how.hold, "hold", 0, "with -stock: how long connections stay open after the last answer")
	flag.Parse()
	var err error
	if *stock {
		err = runStock(*address, *requestsPath, *repliesPath, how)
	} else {
		err = run(*address, *requestsPath, *repliesPath, *count, *concurrency, *idle)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(address, requestsPath, repliesPath string, count, concurrency int, idle time.Duration) error {
	requests, err := readRequests(requestsPath)
	if err != nil {
		return err
	}
	if count == 0 {
		count = len(requests)
	}
	seen := &connections{}
	channel, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithBlock(), grpc.WithTimeout(10*time.Second),
		grpc.WithStatsHandler(seen),
		// What the stock aggregator does: a ping every 10 seconds, calls or no calls.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true,
		}))
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", address, err)
	}
	defer channel.Close()
	client := hourglass.NewExecutorServiceClient(channel)
	began := time.Now()
	replies := submit(client, requests, 0, count/2, concurrency)
	time.Sleep(idle)
	replies = append(replies, submit(client, requests, count/2, count, concurrency)...)
	summary := map[string]interface{}{
		"calls": count, "seconds": (time.Since(began) - idle).Seconds(),
		"connectionsBegun": atomic.LoadInt64(&seen.begun), "connectionsEnded": atomic.LoadInt64(&seen.ended),
	}
	if err := writeReplies(repliesPath, replies); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(summary)
}

func runStock(address, requestsPath, repliesPath string, how habits) error {
	requests, err := readRequests(requestsPath)
	if err != nil {
		return err
	}
	seen := &connections{}
	began := time.Now()
	replies, attempts, err := patience(address, requests, how, seen)
	if err != nil {
		return err
	}
	summary := map[string]interface{}{
		"calls": attempts, "seconds": (time.Since(began) - how.hold).Seconds(),
		"connectionsBegun": atomic.LoadInt64(&seen.begun), "connectionsEnded": atomic.LoadInt64(&seen.ended),
	}
	if err := writeReplies(repliesPath, replies); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(summary)
}

// submit makes calls first…last-1 and returns their replies in order.
func submit(
	client hourglass.ExecutorServiceClient, requests []*hourglass.TaskSubmission, first, last, concurrency int,
) []reply {
	replies := make([]reply, last-first)
	var next int64 = int64(first)
	var workers sync.WaitGroup
	for i := 0; i < concurrency; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				index := int(atomic.AddInt64(&next, 1)) - 1
				if index >= last {
					return
				}
				replies[index-first] = call(client, requests[index%len(requests)])
			}
		}()
	}
	workers.Wait()
	return replies
}

func call(client hourglass.ExecutorServiceClient, request *hourglass.TaskSubmission) reply {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return toReply(client.SubmitTask(ctx, request))
}

func toReply(result *hourglass.TaskResult, err error) reply {
	if err != nil {
		return reply{uint32(status.Code(err)), []byte(status.Convert(err).Message())}
	}
	body, err := proto.Marshal(result)
	if err != nil {
		return reply{uint32(codes.DataLoss), []byte(err.Error())}
	}
	return reply{uint32(codes.OK), body}
}

func readRequests(path string) ([]*hourglass.TaskSubmission, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var requests []*hourglass.TaskSubmission
	for {
		var size uint32
		if err := binary.Read(reader, binary.BigEndian, &size); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(reader, body); err != nil {
			return nil, err
		}
		request := &hourglass.TaskSubmission{}
		if err := proto.Unmarshal(body, request); err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	if len(requests) == 0 {
		return nil, fmt.Errorf("%s holds no requests", path)
	}
	return requests, nil
}

func writeReplies(path string, replies []reply) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	writer := bufio.NewWriter(file)
	for _, one := range replies {
		for _, part := range []interface{}{one.code, uint32(len(one.body)), one.body} {
			if err := binary.Write(writer, binary.BigEndian, part); err != nil {
				return err
			}
		}
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return file.Close()
}
