package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/topics"
)

// probeFlags are those of `camera probe`.
type probeFlags struct {
	camera  cameraFlags
	watch   time.Duration
	asJSON  bool
	picture string
	side    int
}

func (p Program) cameraProbe(t *target) *cobra.Command {
	f := probeFlags{watch: 12 * time.Second, side: 720}
	cmd := &cobra.Command{
		Use: "probe URL|NAME", Short: "Try a camera's stream: what it is, whether it can be read, and what to improve", Args: exactly(1),
		Example: `  frostwatch camera probe 'rtsp://viewer:${LOBBY_PASSWORD}@10.0.0.7/stream1' --picture lobby.jpg
  frostwatch camera probe lobby --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			tries, err := p.probes(cmd, t, &f, args[0])
			if err != nil {
				return err
			}
			for i, try := range tries {
				if i > 0 && !f.asJSON {
					if _, err := fmt.Fprintln(p.Out); err != nil {
						return err
					}
				}
				if err := p.probe(cmd.Context(), f, try, i == len(tries)-1); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.camera.addConnection(cmd)
	cmd.Flags().Var(length{&f.watch, "12s"}, "for", "how long the video is watched, 1s to 5m")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: an object for each stream")
	cmd.Flags().StringVar(&f.picture, "picture", "", "write the first picture to this file, as JPEG; what the camera masks is painted out")
	cmd.Flags().IntVar(&f.side, "picture-side", f.side, "short side of that picture in pixels, at most")
	return cmd
}

// try is a stream that is tried, and by which rules.
type try struct {
	camera  topics.Camera
	what    string // of a camera with two streams, which it is
	options ingest.ProbeOptions
	notes   []string // what workers would say of it
}

// probes are the streams of a URL, or of a camera on the table.
func (p Program) probes(cmd *cobra.Command, t *target, f *probeFlags, arg string) ([]try, error) {
	if isURL(arg) {
		one, err := typed(cmd, t, f, arg)
		return []try{one}, err
	}
	cfg, err := t.load()
	if err != nil {
		return nil, fmt.Errorf("%w; %q is taken for a camera's name, since it is no URL", err, arg)
	}
	var tries []try
	return tries, t.withCameras(cmd.Context(), func(ctx context.Context, table cameraedit.Editor) error {
		c, err := table.Get(ctx, arg)
		if err != nil {
			return err
		}
		if err := f.camera.apply(cmd, &c); err != nil {
			return err
		}
		trust := table.Trust
		if e, err := up.ReadEndpoints(t.data); t.config == "" && err == nil {
			trust.Allow = append(trust.Allow, hostOf(e.RTSP)) // what `up` serves itself
		}
		o := f.options(cfg, trust)
		if c.Watch != "" {
			main := o
			main.Main = true
			tries = append(tries, try{c, "the main stream, for films", main, nil})
		}
		tries = append(tries, try{camera: c, options: o, what: map[bool]string{true: "the stream that is looked at"}[c.Watch != ""]})
		return nil
	})
}

// isURL is whether an argument is a URL rather than a camera's name.
func isURL(arg string) bool {
	return strings.Contains(arg, ":") || strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, "$")
}

func hostOf(address string) string {
	host, _, _ := strings.Cut(address, ":")
	return host
}

// typed is for a URL that whoever calls the command has typed: it may name variables of
// their environment, files, and any host. Where the camera redirects to, workers' rules
// count.
func typed(cmd *cobra.Command, t *target, f *probeFlags, raw string) (try, error) {
	cfg, err := t.load()
	known := err == nil
	if err != nil && t.config != "" {
		return try{}, err
	}
	if !known {
		cfg = config.Default()
	}
	c := topics.Camera{Name: "probe", URL: raw, Source: topics.SourcePerson}
	if err := f.camera.apply(cmd, &c); err != nil {
		return try{}, err
	}
	if err := cameraedit.LimitsOf(cfg).Validate(c); err != nil {
		return try{}, errors.New(strings.TrimPrefix(err.Error(), "camera probe: "))
	}
	workers := cameraedit.TrustOf(cfg)
	trust := ingest.Trust{Env: append(cameras.References(raw), workers.Env...), Allow: append([]string{"file"}, workers.Allow...)}
	if host := typedHost(raw); host != "" {
		trust.Allow = append(trust.Allow, host)
	}
	one := try{camera: c, options: f.options(cfg, trust)}
	if err := workers.Refusal(c); err != nil && known {
		one.notes = append(one.notes, "the ingest workers refuse it: "+err.Error())
	}
	if names := workers.Withheld(c); len(names) > 0 && known {
		one.notes = append(one.notes, "the ingest workers refuse it: its URL uses "+strings.Join(names, ", ")+", which ingest.env does not list")
	}
	one.camera.Name = ""
	return one, nil
}

// typedHost is the host that a URL names; empty where it can't be allowed.
func typedHost(raw string) string {
	expanded, err := envtext.Expand(cameras.Spelled(raw), func(name string, _ int) (string, error) {
		return url.QueryEscape(os.Getenv(name)), nil
	})
	if err != nil {
		return ""
	}
	u, err := url.Parse(expanded)
	if err != nil || ingest.CheckAllow(u.Hostname()) != nil {
		return ""
	}
	return u.Hostname()
}

// options say how a stream is tried.
func (f *probeFlags) options(cfg config.Config, trust ingest.Trust) ingest.ProbeOptions {
	side := 0
	if f.picture != "" {
		side = f.side
	}
	return cameraedit.Probing(cfg, trust, f.watch, side)
}

// probe tries one stream and prints what was seen. Its picture is written if it is the one
// to be looked at.
func (p Program) probe(ctx context.Context, f probeFlags, one try, looked bool) error {
	if !looked {
		one.options.PictureSide = 0
	}
	seen, err := ingest.Probe(ctx, one.options, one.camera)
	if err != nil {
		return err
	}
	seen.Advice = append(seen.Advice, one.notes...)
	if looked && f.picture != "" {
		if err := os.WriteFile(f.picture, seen.Picture, 0o600); err != nil {
			return fmt.Errorf("write the picture: %w", err)
		}
	}
	if f.asJSON {
		e := json.NewEncoder(p.Out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(seen)
	}
	return p.writeProbed(seen, one.what)
}
