// A real API server, for the tests of the injector's webhook: k8s.io/kubernetes is published as a module but not as a binary that a
// registry would have, so it is built here. Flags are kube-apiserver's own.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	command := app.NewAPIServerCommand()
	os.Exit(cli.Run(command))
}
