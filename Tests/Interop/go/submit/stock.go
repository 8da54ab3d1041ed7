package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"ponos.test/gen/hourglass"
)

// habits are those of the public aggregator's client.
type habits struct {
	// attempt bounds one call; delay is the pause after the first, and doubles with each further one.
	attempt, delay time.Duration
	// retries are made after the first attempt.
	retries int
	// spread is the time over which tasks are begun; hold is how long connections stay open after the last answer.
	spread, hold time.Duration
}

// retried are the codes after which the public client sends again.
var retried = map[codes.Code]bool{
	codes.DeadlineExceeded: true, codes.ResourceExhausted: true, codes.Internal: true, codes.Unavailable: true,
}

// patience sends each request on a connection of its own, which is pinged every 10 seconds with or without calls and not closed
// before all is over. It returns the replies and how many attempts they took.
func patience(address string, requests []*hourglass.TaskSubmission, how habits, seen *connections) ([]reply, int64, error) {
	replies := make([]reply, len(requests))
	channels := make([]*grpc.ClientConn, len(requests))
	var attempts int64
	var tasks sync.WaitGroup
	for i := range requests {
		channel, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithStatsHandler(seen),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{
				Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true,
			}))
		if err != nil {
			return nil, 0, fmt.Errorf("dialling %s: %w", address, err)
		}
		channels[i] = channel
		tasks.Add(1)
		go func(i int) {
			defer tasks.Done()
			time.Sleep(how.spread * time.Duration(i) / time.Duration(len(requests)))
			replies[i] = insist(hourglass.NewExecutorServiceClient(channels[i]), requests[i], how, &attempts)
		}(i)
	}
	tasks.Wait()
	time.Sleep(how.hold)
	return replies, attempts, nil
}

// insist sends a request until it is answered for good or the retries are used up.
func insist(client hourglass.ExecutorServiceClient, request *hourglass.TaskSubmission, how habits, attempts *int64) reply {
	delay := how.delay
	for retry := 0; ; retry++ {
		atomic.AddInt64(attempts, 1)
		ctx, cancel := context.WithTimeout(context.Background(), how.attempt)
		result, err := client.SubmitTask(ctx, request)
		cancel()
		if err == nil || !retried[status.Code(err)] || retry == how.retries {
			return toReply(result, err)
		}
		time.Sleep(delay)
		delay *= 2
	}
}
