// workload-api-client asks the SPIFFE Workload API as any workload written in Go does, with go-spiffe. The socket comes from
// SPIFFE_ENDPOINT_SOCKET. It prints one JSON object a line: each X.509 context that arrives, and whose token it got when an audience is
// given. With --version it prints the version of go-spiffe.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

type update struct {
	ID           string   `json:"id"`
	Serial       string   `json:"serial"`
	Verified     bool     `json:"verified"`
	Authorities  int      `json:"authorities"`
	TrustDomains []string `json:"trustDomains"`
}

type printer struct {
	mu sync.Mutex
}

func (p *printer) print(value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(line))
}

func (p *printer) OnX509ContextUpdate(got *workloadapi.X509Context) {
	svid := got.DefaultSVID()
	domains := []string{}
	authorities := 0
	for _, bundle := range got.Bundles.Bundles() {
		domains = append(domains, bundle.TrustDomain().Name())
		if bundle.TrustDomain() == svid.ID.TrustDomain() {
			authorities = len(bundle.X509Authorities())
		}
	}
	_, _, err := x509svid.Verify(svid.Certificates, got.Bundles)
	p.print(update{
		ID:           svid.ID.String(),
		Serial:       svid.Certificates[0].SerialNumber.Text(16),
		Verified:     err == nil,
		Authorities:  authorities,
		TrustDomains: domains,
	})
}

func (p *printer) OnX509ContextWatchError(err error) {
	fmt.Fprintln(os.Stderr, err)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func printVersion() {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/spiffe/go-spiffe/v2" {
			fmt.Println(module.Version)
		}
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		printVersion()
		return
	}
	ctx := context.Background()
	client, err := workloadapi.New(ctx)
	if err != nil {
		fail(err)
	}
	out := &printer{}
	if len(os.Args) > 1 {
		token, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: os.Args[1]})
		if err != nil {
			fail(err)
		}
		bundles, err := client.FetchJWTBundles(ctx)
		if err != nil {
			fail(err)
		}
		parsed, err := jwtsvid.ParseAndValidate(token.Marshal(), bundles, []string{os.Args[1]})
		if err != nil {
			fail(err)
		}
		out.print(map[string]string{"jwt": parsed.ID.String()})
	}
	if err := client.WatchX509Context(ctx, out); err != nil {
		fail(err)
	}
}
