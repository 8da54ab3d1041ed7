package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
)

var (
	ca          = flag.String("ca", "", "PEM of the root to trust; empty for plaintext")
	certificate = flag.String("certificate", "", "PEM of our own certificate")
	key         = flag.String("key", "", "PEM of our own key")
)

func main() {
	flag.Parse()
	if flag.NArg() != 2 {
		exit("usage: transport [flags] server|client|drain ADDRESS")
	}
	switch flag.Arg(0) {
	case "server":
		serve(flag.Arg(1))
	case "client":
		runChecks(flag.Arg(1))
	case "drain":
		must(answeredWhileDraining(dial(flag.Arg(1))))
	}
}

func serve(address string) {
	options := []grpc.ServerOption{
		grpc.CustomCodec(rawCodec{}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if *certificate != "" {
		config := tlsConfig()
		if *ca != "" {
			config.ClientAuth = tls.RequireAndVerifyClientCert
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	listener, err := net.Listen("tcp", address)
	must(err)
	server := grpc.NewServer(options...)
	server.RegisterService(echoService(), struct{}{})
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	// The parent holds our standard input open; when it is gone, so are we. All it ever says is that we are to take no more calls.
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			go server.GracefulStop()
		}
		os.Exit(0)
	}()
	must(server.Serve(listener))
}

func dial(address string) *grpc.ClientConn {
	security := grpc.WithInsecure()
	if *ca != "" {
		security = grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig()))
	}
	conn, err := grpc.Dial(address, security, grpc.WithBlock(), grpc.WithTimeout(10*time.Second),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})),
		// As the reference aggregator does it.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}))
	must(err)
	return conn
}

func runChecks(address string) {
	conn := dial(address)
	failed := 0
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		if err := check.run(ctx, conn); err != nil {
			fmt.Printf("FAIL %s: %v\n", check.name, err)
			failed++
		} else {
			fmt.Printf("ok %s\n", check.name)
		}
		cancel()
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func tlsConfig() *tls.Config {
	config := &tls.Config{ServerName: "localhost"}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if *ca != "" {
		pem, err := ioutil.ReadFile(*ca)
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		config.RootCAs = pool
		config.ClientCAs = pool
	}
	return config
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
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
