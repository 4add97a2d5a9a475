// A control plane of go-control-plane, as its own sample makes one, for the bench of xds-server: a snapshot cache, every node the same
// snapshot, Delta and SotW ADS. It does what src/workers/xds-server.ts does: says its port, and takes a resource a line.
//
//	go-control-plane (plain | FOLDER)   FOLDER: certificate.pem, key.pem, roots.pem: mutual TLS
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/encoding/protojson"
)

const node = "all"

type everyNode struct{}

func (everyNode) ID(*core.Node) string { return node }

func main() {
	if os.Args[1] == "--version" {
		printVersion()
		return
	}
	snapshots := cache.NewSnapshotCache(true, everyNode{}, nil)
	options := []grpc.ServerOption{grpc.MaxConcurrentStreams(1_000_000)}
	if os.Args[1] != "plain" {
		options = append(options, grpc.Creds(mutualTLS(os.Args[1])))
	}
	grpcServer := grpc.NewServer(options...)
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(context.Background(), snapshots, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() { must(grpcServer.Serve(listener)) }()
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for revision := 1; lines.Scan(); revision++ {
		word, json, _ := strings.Cut(lines.Text(), " ")
		if word == "rest" {
			debug.FreeOSMemory()
			fmt.Println("{}")
			continue
		}
		assignment := &endpoint.ClusterLoadAssignment{}
		must(protojson.Unmarshal([]byte(json), assignment))
		at := time.Now().UnixMicro()
		resources := map[resource.Type][]types.Resource{resource.EndpointType: {assignment}}
		snapshot, err := cache.NewSnapshot(strconv.Itoa(revision), resources)
		must(err)
		must(snapshots.SetSnapshot(context.Background(), node, snapshot))
		fmt.Printf("{\"at\":%d}\n", at)
	}
}

func mutualTLS(folder string) credentials.TransportCredentials {
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem"))
	must(err)
	roots, err := os.ReadFile(filepath.Join(folder, "roots.pem"))
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	return credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})
}

func printVersion() {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/envoyproxy/go-control-plane" || module.Path == "google.golang.org/grpc" {
			fmt.Println(module.Path, module.Version)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
