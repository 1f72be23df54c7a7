package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/console/agents"
)

// tokenVariable is the variable of the environment with the console's token.
const tokenVariable = "FROSTWATCH_TOKEN"

// agentFlags are where the console is, and who the agent is to it.
type agentFlags struct {
	target
	console, tokenFile string
	clear              bool
}

func (p Program) mcpCommand() *cobra.Command {
	f := &agentFlags{}
	cmd := &cobra.Command{
		Use: "mcp", Short: "Let an agent look and edit, by MCP", Args: none,
		Long: `Speaks the Model Context Protocol on standard input and output, so that an agent can do
what the console's API does: look at cameras, alerts and pictures, judge alerts, edit. Agents start
it themselves (docs/console.md). It may do what its token may; a console without users asks for none.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.serveAgent(cmd.Context(), f, cmd.InOrStdin())
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.console, "console", "", "address of the console, as https://cams.example.com (default: that of the running frostwatch up)")
	cmd.Flags().StringVar(&f.tokenFile, "token-file", "", "file with one of console.tokens (default: the variable "+tokenVariable+")")
	cmd.Flags().BoolVar(&f.clear, "clear", false, "send the token to another machine without encryption")
	return cmd
}

func (p Program) serveAgent(ctx context.Context, f *agentFlags, in io.Reader) error {
	at, err := f.address()
	if err != nil {
		return err
	}
	token, err := f.token()
	if err != nil {
		return err
	}
	if token != "" && at.Scheme == "http" && !f.clear && !onThisMachine(at.Hostname()) {
		return fmt.Errorf("--console http://%s would send the token in the clear: want https, an address of this machine, or --clear if that is meant", at.Host)
	}
	s, err := agents.New(ctx, agents.Options{Console: at, Token: token, Version: p.Version})
	if err != nil {
		return err
	}
	// Standard output is the protocol's.
	if _, err := fmt.Fprintf(p.Err, "frostwatch mcp: %s\n", s.Described()); err != nil {
		return err
	}
	return s.Run(ctx, &mcp.IOTransport{Reader: io.NopCloser(in), Writer: unclosed{p.Out}})
}

// unclosed is written to and not closed.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// address is where the console is: as a flag says, or that of a running `up`.
func (f *agentFlags) address() (*url.URL, error) {
	if f.console == "" {
		if f.config != "" {
			return nil, errors.New("--config does not say under which address the console is reached from here: name it with --console")
		}
		e, err := up.ReadEndpoints(f.data)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("nothing runs here (looked in %s); start `frostwatch up`, or name --data or --console", f.data)
		}
		if err != nil {
			return nil, err
		}
		return &url.URL{Scheme: "http", Host: e.Console}, nil
	}
	u, err := url.Parse(f.console)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("--console: want an address as https://cams.example.com, with nothing after the host") // it may have a secret
	}
	u.Path = ""
	return u, nil
}

// maxToken is how many bytes a token's file may have.
const maxToken = 4096

func (f *agentFlags) token() (string, error) {
	if f.tokenFile == "" {
		return strings.TrimSpace(os.Getenv(tokenVariable)), nil
	}
	file, err := os.Open(f.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || len(text) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("--token-file %s: want one token, as `frostwatch console hash --token` prints it", f.tokenFile)
	}
	return token, nil
}

func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && a.IsLoopback()
}
