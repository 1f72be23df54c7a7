package commands

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/internal/config"
)

// stagePorts are the ports of /healthz, /readyz and /metrics where http.listen is empty,
// the first for ingest: so that stages on one machine share a configuration.
var stagePorts = []string{"ingest", "infer", "alerts", "archive", "notify", "calibrate", "console"}

const firstPort = 8081

func httpFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "http", "", "address of /healthz, /readyz and /metrics, in place of http.listen; port 0 takes a free one")
}

// httpAddress is where a stage's web server listens, and the name of what says so: the flag
// --http, or else the configured address, or else the stage's own port.
func httpAddress(stage, flag, configured string) (address, by string) {
	switch {
	case flag != "":
		return flag, "--http"
	case configured != "":
		return configured, "http.listen"
	}
	return fmt.Sprintf("127.0.0.1:%d", firstPort+slices.Index(stagePorts, stage)), "http.listen"
}

func listenFor(stage, flag, configured string) (net.Listener, error) {
	address, by := httpAddress(stage, flag, configured)
	if err := config.CheckAddress(address); err != nil {
		return nil, fmt.Errorf("%s: %w", by, err)
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %w: each process needs a port of its own; --http 127.0.0.1:0 takes a free one", by, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", by, err)
	}
	return l, nil
}
