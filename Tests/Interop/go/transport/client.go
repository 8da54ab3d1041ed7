package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type check struct {
	name string
	run  func(context.Context, *grpc.ClientConn) error
}

var checks = []check{
	{"empty unary", func(ctx context.Context, c *grpc.ClientConn) error { return echo(ctx, c, 0) }},
	{"large unary", func(ctx context.Context, c *grpc.ClientConn) error { return echo(ctx, c, 314159) }},
	{"megabytes", func(ctx context.Context, c *grpc.ClientConn) error { return echo(ctx, c, 3<<20) }},
	{"gzip", func(ctx context.Context, c *grpc.ClientConn) error { return echo(ctx, c, 271828, grpc.UseCompressor(gzip.Name)) }},
	{"client streaming", clientStreaming},
	{"server streaming", serverStreaming},
	{"ping-pong of 1500 messages", pingPong},
	{"empty stream", emptyStream},
	{"metadata", echoMetadata},
	{"status codes and special message", statuses},
	{"unimplemented method and service", unimplemented},
	{"timeout on sleeping server", timeout},
	{"cancel after begin", cancelAfterBegin},
	{"cancel after first response", cancelAfterFirstResponse},
	{"message over the limit", tooLarge},
	{"200 calls at once", concurrent},
}

func open(ctx context.Context, c *grpc.ClientConn, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	desc := &grpc.StreamDesc{StreamName: method, ServerStreams: true, ClientStreams: true}
	return c.NewStream(ctx, desc, "/"+serviceName+"/"+method, options...)
}

func call(ctx context.Context, c *grpc.ClientConn, method string, message []byte, options ...grpc.CallOption) ([]byte, error) {
	var answer []byte
	err := c.Invoke(ctx, "/"+serviceName+"/"+method, &message, &answer, options...)
	return answer, err
}

func pattern(size int) []byte {
	message := make([]byte, size)
	for i := range message {
		message[i] = byte(i % 251)
	}
	return message
}

func echo(ctx context.Context, c *grpc.ClientConn, size int, options ...grpc.CallOption) error {
	message := pattern(size)
	answer, err := call(ctx, c, "Unary", message, options...)
	if err == nil && !bytes.Equal(message, answer) {
		err = fmt.Errorf("%d bytes came back as %d others", size, len(answer))
	}
	return err
}

func clientStreaming(ctx context.Context, c *grpc.ClientConn) error {
	stream, err := open(ctx, c, "Collect")
	if err != nil {
		return err
	}
	total := 0
	for _, size := range []int{27182, 8, 1828, 45904} {
		message := pattern(size)
		total += size
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	if string(answer) != strconv.Itoa(total) {
		return fmt.Errorf("%s bytes counted, not %d", answer, total)
	}
	return expectEOF(stream)
}

func serverStreaming(ctx context.Context, c *grpc.ClientConn) error {
	stream, err := open(ctx, c, "Expand")
	if err != nil {
		return err
	}
	message := []byte("500 10000")
	if err := stream.SendMsg(&message); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for index := 0; index < 500; index++ {
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			return err
		}
		if len(answer) != 10000 || answer[0] != byte(index) {
			return fmt.Errorf("message %d is wrong", index)
		}
	}
	return expectEOF(stream)
}

// More turns than swift-nio-http2 allows control frames: grpc-go measures bandwidth with a PING for nearly each of them.
func pingPong(ctx context.Context, c *grpc.ClientConn) error {
	stream, err := open(ctx, c, "Chat")
	if err != nil {
		return err
	}
	for turn := 0; turn < 1500; turn++ {
		message, answer := pattern(turn), []byte(nil)
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
		if err := stream.RecvMsg(&answer); err != nil {
			return fmt.Errorf("turn %d: %w", turn, err)
		}
		if !bytes.Equal(message, answer) {
			return fmt.Errorf("turn %d came back changed", turn)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return expectEOF(stream)
}

func emptyStream(ctx context.Context, c *grpc.ClientConn) error {
	stream, err := open(ctx, c, "Chat")
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return expectEOF(stream)
}

func echoMetadata(ctx context.Context, c *grpc.ClientConn) error {
	sent := metadata.Pairs("x-ponos-text", "one", "x-ponos-text", "two", "x-ponos-bytes-bin", "\x00\xff\x0a\x0b")
	var header, trailer metadata.MD
	_, err := call(metadata.NewOutgoingContext(ctx, sent), c, "Unary", []byte{1}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return err
	}
	for _, received := range []metadata.MD{header, trailer} {
		for key, values := range sent {
			if fmt.Sprint(received[key]) != fmt.Sprint(values) {
				return fmt.Errorf("%s came back as %q", key, received[key])
			}
		}
	}
	return nil
}

func statuses(ctx context.Context, c *grpc.ClientConn) error {
	text := "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈 100%\t\n"
	for code := 1; code <= 16; code++ {
		_, err := call(ctx, c, "Fail", []byte(strconv.Itoa(code)+" "+text))
		if int(status.Code(err)) != code || status.Convert(err).Message() != text {
			return fmt.Errorf("code %d: %v", code, err)
		}
	}
	return nil
}

func unimplemented(ctx context.Context, c *grpc.ClientConn) error {
	if _, err := call(ctx, c, "None", []byte{1}); status.Code(err) != codes.Unimplemented {
		return err
	}
	var answer []byte
	message := []byte{1}
	if err := c.Invoke(ctx, "/ponos.transport.Other/Unary", &message, &answer); status.Code(err) != codes.Unimplemented {
		return err
	}
	return echo(ctx, c, 10)
}

func timeout(ctx context.Context, c *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, c, "Hang", []byte{1}); status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("not a deadline: %v", err)
	}
	return nil
}

func cancelAfterBegin(ctx context.Context, c *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := open(ctx, c, "Collect")
	if err != nil {
		return err
	}
	cancel()
	var answer []byte
	if err := stream.RecvMsg(&answer); status.Code(err) != codes.Canceled {
		return fmt.Errorf("not cancelled: %v", err)
	}
	return nil
}

func cancelAfterFirstResponse(ctx context.Context, c *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := open(ctx, c, "HangAfterMetadata")
	if err != nil {
		return err
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	cancel()
	if err := stream.RecvMsg(&answer); status.Code(err) != codes.Canceled {
		return fmt.Errorf("not cancelled: %v", err)
	}
	return nil
}

// answeredWhileDraining makes a call that the server answers after it has begun to shut down.
func answeredWhileDraining(c *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	stream, err := open(ctx, c, "Ignore")
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	fmt.Println("begun")
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	return expectEOF(stream)
}

func tooLarge(ctx context.Context, c *grpc.ClientConn) error {
	if _, err := call(ctx, c, "Unary", pattern(5<<20)); status.Code(err) != codes.ResourceExhausted {
		return fmt.Errorf("not refused: %v", err)
	}
	return echo(ctx, c, 10)
}

func concurrent(ctx context.Context, c *grpc.ClientConn) error {
	var group sync.WaitGroup
	failures := make(chan error, 200)
	for number := 0; number < 200; number++ {
		group.Add(1)
		go func(size int) {
			defer group.Done()
			failures <- echo(ctx, c, size)
		}(number * 37)
	}
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func expectEOF(stream grpc.ClientStream) error {
	var answer []byte
	if err := stream.RecvMsg(&answer); err != io.EOF {
		return fmt.Errorf("the stream did not end well: %v", err)
	}
	return nil
}
