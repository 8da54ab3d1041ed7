// A performer on grpc-go: answers each task with its own payload; the payload "stats" is answered with a JSON count of
// connections and calls.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"ponos.test/gen/health"
	"ponos.test/gen/performer"
)

type server struct {
	performer.UnimplementedPerformerServiceServer
	health.UnimplementedHealthServer
	connections, calls int64
}

func (s *server) ExecuteTask(_ context.Context, task *performer.TaskRequest) (*performer.TaskResponse, error) {
	calls := atomic.AddInt64(&s.calls, 1)
	result := task.Payload
	if string(result) == "stats" {
		result = []byte(fmt.Sprintf(`{"connections":%d,"calls":%d}`, atomic.LoadInt64(&s.connections), calls))
	}
	return &performer.TaskResponse{TaskId: task.TaskId, Result: result}, nil
}

func (s *server) StartSync(context.Context, *performer.StartSyncRequest) (*performer.StartSyncResponse, error) {
	return &performer.StartSyncResponse{}, nil
}

func (s *server) Check(context.Context, *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

func (s *server) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (s *server) HandleRPC(context.Context, stats.RPCStats)                         {}
func (s *server) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (s *server) HandleConn(_ context.Context, event stats.ConnStats) {
	if _, begun := event.(*stats.ConnBegin); begun {
		atomic.AddInt64(&s.connections, 1)
	}
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	handler := &server{}
	grpcServer := grpc.NewServer(grpc.StatsHandler(handler))
	performer.RegisterPerformerServiceServer(grpcServer, handler)
	health.RegisterHealthServer(grpcServer, handler)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		grpcServer.GracefulStop()
	}()
	fmt.Println(listener.Addr())
	if err := grpcServer.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
