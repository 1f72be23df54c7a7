package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// healthAddress is where the configurations of containers have http.listen.
const healthAddress = "127.0.0.1:8080"

// healthTime bounds the whole of it.
const healthTime = 3 * time.Second

// healthcheckCommand is for containers, whose images need no program to ask with.
func (p Program) healthcheckCommand() *cobra.Command {
	var ready bool
	cmd := &cobra.Command{
		Use: "healthcheck [ADDRESS]", Short: "Ask a process of Frostwatch whether it runs, for containers", Args: most(1),
		Long: "Asks /healthz at ADDRESS (default " + healthAddress + "), or with --ready /readyz, and prints what it says. The exit status\n" +
			"is 1 unless all is well.",
		RunE: func(cmd *cobra.Command, args []string) error {
			address, path := healthAddress, "/healthz"
			if len(args) > 0 {
				address = args[0]
			}
			if ready {
				path = "/readyz"
			}
			return p.askHealth(cmd.Context(), address, path)
		},
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it can work, not only whether it runs")
	return cmd
}

func (p Program) askHealth(ctx context.Context, address, path string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	if err := config.CheckAddress(address); err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return errors.New("healthcheck: want host:port") // net/url's error repeats the address
	}
	// A proxy of the environment has no part in it.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Do(q)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer func() { err = errors.Join(err, a.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(a.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	if _, err := fmt.Fprintln(p.Out, topics.Clean(string(body))); err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s%s answers %d", topics.Clean(address), path, a.StatusCode)
	}
	return nil
}
