// Command control-plane is a whole Kubernetes control plane for tests in one program: etcd, kube-apiserver,
// kube-controller-manager and kubectl, chosen by the name it is called with or else by its first argument.
//
// A server ends when its standard input ends, so that none outlives the process that started it, however that
// process ended.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	role := filepath.Base(os.Args[0])
	if _, known := roles[role]; !known && len(os.Args) > 1 {
		role = os.Args[1]
		os.Args = os.Args[1:]
	}
	run, known := roles[role]
	if !known {
		fmt.Fprintf(os.Stderr, "%q is no role; there are etcd, kube-apiserver, kube-controller-manager and kubectl\n", role)
		os.Exit(2)
	}
	os.Exit(run())
}

var roles = map[string]func() int{
	"etcd":                    etcd,
	"kube-apiserver":          server(apiserver.NewAPIServerCommand),
	"kube-controller-manager": server(controllermanager.NewControllerManagerCommand),
	"kubectl":                 func() int { return cli.Run(kubectl.NewDefaultKubectlCommand()) },
}

// server runs a Kubernetes server until its standard input ends.
func server(command func() *cobra.Command) func() int {
	return func() int {
		go func() {
			awaitEndOfInput()
			os.Exit(0)
		}()
		return cli.Run(command())
	}
}

// etcd serves one member as a configuration file in etcd's own format says. Its data, which nobody reads again,
// goes when it ends.
func etcd() int {
	if len(os.Args) != 3 || os.Args[1] != "--config-file" {
		fmt.Fprintln(os.Stderr, "usage: etcd --config-file FILE")
		return 2
	}
	config, err := embed.ConfigFromFile(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd configuration:", err)
		return 1
	}
	member, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	ended := make(chan struct{})
	go func() {
		awaitEndOfInput()
		close(ended)
	}()
	select {
	case err = <-member.Err():
	case <-ended:
		err = os.RemoveAll(config.Dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	return 0
}

func awaitEndOfInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}
