// Package main is a grpc-go peer for the tests of the Swift transport: the service ponos.transport.Echo with plain bytes as
// messages, as a server and as a client that checks every kind of call.
package main

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const serviceName = "ponos.transport.Echo"

// rawCodec passes messages on as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (rawCodec) Name() string                               { return "raw" }
func (rawCodec) String() string                             { return "raw" }

type handler func(grpc.ServerStream) error

func echoService() *grpc.ServiceDesc {
	methods := map[string]handler{
		"Unary": unary, "Collect": collect, "Expand": expand, "Chat": chat, "Fail": fail,
		"Hang": hang, "HangAfterMetadata": hangAfterMetadata,
	}
	desc := &grpc.ServiceDesc{ServiceName: serviceName, HandlerType: (*interface{})(nil)}
	for name, run := range methods {
		run := run
		desc.Streams = append(desc.Streams, grpc.StreamDesc{
			StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ interface{}, stream grpc.ServerStream) error { return run(stream) },
		})
	}
	return desc
}

func receive(stream grpc.ServerStream) ([]byte, error) {
	var message []byte
	err := stream.RecvMsg(&message)
	return message, err
}

func unary(stream grpc.ServerStream) error {
	echoed := metadata.MD{}
	if incoming, ok := metadata.FromIncomingContext(stream.Context()); ok {
		for key, values := range incoming {
			if strings.HasPrefix(key, "x-ponos-") {
				echoed[key] = values
			}
		}
	}
	if err := stream.SendHeader(echoed); err != nil {
		return err
	}
	stream.SetTrailer(echoed)
	return chat(stream)
}

func chat(stream grpc.ServerStream) error {
	for {
		message, err := receive(stream)
		if err != nil {
			return ignoreEOF(err)
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

func collect(stream grpc.ServerStream) error {
	total := 0
	for {
		message, err := receive(stream)
		if err != nil {
			if err := ignoreEOF(err); err != nil {
				return err
			}
			answer := []byte(strconv.Itoa(total))
			return stream.SendMsg(&answer)
		}
		total += len(message)
	}
}

func expand(stream grpc.ServerStream) error {
	message, err := receive(stream)
	if err != nil {
		return err
	}
	var count, size int
	if _, err := fmt.Sscanf(string(message), "%d %d", &count, &size); err != nil {
		return err
	}
	for index := 0; index < count; index++ {
		answer := make([]byte, size)
		for i := range answer {
			answer[i] = byte(index)
		}
		if err := stream.SendMsg(&answer); err != nil {
			return err
		}
	}
	return nil
}

func fail(stream grpc.ServerStream) error {
	message, err := receive(stream)
	if err != nil {
		return err
	}
	parts := strings.SplitN(string(message), " ", 2)
	code, err := strconv.Atoi(parts[0])
	if err != nil {
		return err
	}
	stream.SetTrailer(metadata.Pairs("why", "asked for"))
	return status.Error(codes.Code(code), parts[1])
}

func hang(stream grpc.ServerStream) error {
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

func hangAfterMetadata(stream grpc.ServerStream) error {
	answer := []byte{1}
	if err := stream.SendMsg(&answer); err != nil {
		return err
	}
	return hang(stream)
}
