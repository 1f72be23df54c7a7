package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// upFlags are the flags of `up`.
type upFlags struct {
	data, config, ports, model string
	cameras, videos            []string
	verbose                    bool
}

func (p Program) upCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use: "up", Short: "Run everything on this machine: broker, Redis, cameras, all stages", Args: cobra.NoArgs,
		Long: "Runs everything on loopback. Without --camera and --video it watches demo cameras,\nserved over RTSP from rendered clips. Ctrl-C stops it; started again on the same\n--data it goes on where it stopped.",
		Example: "  frostwatch up\n  frostwatch up --camera 'door=rtsp://viewer:${DOOR_PASSWORD}@10.0.0.7/stream1'\n" +
			"  frostwatch up --video recording.mp4 --model models/froster-b16",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.up(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.data, "data", defaultData, "directory of everything that is kept")
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (default: pipeline.yaml in the data directory, written at first start)")
	cmd.Flags().StringVar(&f.ports, "ports", "fixed", "fixed: 19092 Kafka, 16379 Redis, 18554 RTSP, 18080 HTTP; auto: free ones")
	cmd.Flags().StringVar(&f.model, "model", "", "bundle to recognise with (default: infer.bundle of the configuration, or the demo model)")
	cmd.Flags().StringArrayVar(&f.cameras, "camera", nil, "NAME=URL of a camera in place of the demo's; repeatable")
	cmd.Flags().StringArrayVar(&f.videos, "video", nil, "file to serve as a camera in place of the demo's; repeatable")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log at the configured level, not only warnings")
	return cmd
}

// home is a running `up`.
type home struct {
	Program
	flags   upFlags
	at      endpoints
	cfg     config.Config
	cfgPath string
	log     *slog.Logger
	broker  *embedded.Broker
	redis   *embedded.Redis
	sim     *camsim.Server // nil without files to serve
	cameras []topics.Camera
}

// up builds everything from the outside in, and takes it down in the reverse
// order.
func (p Program) up(ctx context.Context, f upFlags) (err error) {
	unlock, err := embedded.Lock(f.data)
	if err != nil {
		return err
	}
	defer unlock()
	h := &home{Program: p, flags: f}
	if err := h.prepare(); err != nil {
		return err
	}
	if err := h.startServers(ctx); err != nil {
		return err
	}
	defer h.redis.Close()
	defer h.broker.Close()
	if err := h.findCameras(); err != nil {
		return err
	}
	return h.run(ctx)
}

// prepare puts the files in place and reads the configuration.
func (h *home) prepare() (err error) {
	if h.at, err = chooseEndpoints(h.flags.ports); err != nil {
		return err
	}
	if err := demo.Unpack(h.demoDir()); err != nil {
		return err
	}
	if err := h.readConfig(); err != nil {
		return err
	}
	level := "warn"
	if h.flags.verbose {
		level = h.cfg.Log.Level
	}
	if h.log, err = telemetry.NewLogger(h.Err, level, h.cfg.Log.Format); err != nil {
		return err
	}
	if err := h.findModel(); err != nil {
		return err
	}
	return h.fitFrames()
}

func (h *home) demoDir() string { return filepath.Join(h.flags.data, "demo") }

// readConfig takes the file named, or the data directory's own, which is
// written at the first start; the addresses are those of the servers that `up`
// runs.
func (h *home) readConfig() (err error) {
	h.cfgPath = h.flags.config
	if h.cfgPath == "" {
		h.cfgPath = filepath.Join(h.flags.data, "pipeline.yaml")
		if !exists(h.cfgPath) {
			if err := os.WriteFile(h.cfgPath, demo.Config(), 0o644); err != nil {
				return fmt.Errorf("write the demo configuration: %w", err)
			}
		}
	}
	if h.cfg, err = config.Load(h.cfgPath); err != nil {
		return err
	}
	h.cfg.Kafka.Brokers, h.cfg.Kafka.Replication = []string{h.at.Kafka}, 1
	h.cfg.Redis.Address, h.cfg.Redis.Username, h.cfg.Redis.Password, h.cfg.Redis.Database = h.at.Redis, "", "", 0
	h.cfg.HTTP.Listen = h.at.HTTP
	return nil
}

// startServers starts the broker and Redis and says where they are.
func (h *home) startServers(ctx context.Context) (err error) {
	h.broker, err = embedded.StartBroker(embedded.BrokerOptions{
		Dir: filepath.Join(h.flags.data, "kafka"), Port: port(h.at.Kafka), Logger: h.log,
	})
	if err != nil {
		return err
	}
	h.redis, err = embedded.StartRedis(ctx, embedded.RedisOptions{
		Dir: filepath.Join(h.flags.data, "redis"), Port: port(h.at.Redis), Logger: h.log,
	})
	if err != nil {
		h.broker.Close()
		return err
	}
	return nil
}

// run runs the stages until ctx ends.
func (h *home) run(ctx context.Context) (err error) {
	pr, err := h.openProcess(ctx, h.cfg, h.log, "frostwatch", "ingest", "vocabulary", "infer", "alerts")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pr.close(ctx)) }()
	if err := h.seedVocabulary(ctx, pr); err != nil {
		return err
	}
	inferring, free, err := pr.inferStages(h.bundleOf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	alerting, err := pr.alertsStages()
	if err != nil {
		return err
	}
	ingesting, err := pr.ingestStages()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", h.at.HTTP)
	if err != nil {
		return fmt.Errorf("listen for http: %w", err)
	}
	if err := errors.Join(h.at.write(h.flags.data), h.banner()); err != nil {
		return errors.Join(err, l.Close())
	}
	return pr.run(ctx, l, h.order(pr, alerting, inferring, ingesting)...)
}

// order is consumers before producers. The simulated cameras outlive ingest, who
// would take their end for a fault.
func (h *home) order(pr *process, alerting, inferring, ingesting []stage) []stage {
	stages := []stage{
		{"redis", h.watchRedis},
		{"alert lines", func(ctx context.Context) error { return pr.follow(ctx, topics.Alerts, h.printAlert) }},
		{"status lines", func(ctx context.Context) error { return pr.follow(ctx, topics.Status, h.printStatus) }},
	}
	stages = append(stages, alerting...)
	stages = append(stages, inferring...)
	stages = append(stages, pr.following(h.cfgPath)...)
	stages = append(stages, stage{"cameras", func(ctx context.Context) error { return h.ownCameras(ctx, pr) }})
	if h.sim != nil {
		stages = append(stages, stage{"camera simulator", func(ctx context.Context) error { return ignoreEnd(ctx, h.sim.Run(ctx)) }})
	}
	return append(stages, ingesting...)
}

// watchRedis ends `up` when its Redis ends: nothing would be recognised anew.
func (h *home) watchRedis(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-h.redis.Done():
		return errors.New("redis-server ended unexpectedly")
	}
}

func (h *home) banner() error {
	var b strings.Builder
	fmt.Fprintf(&b, "Frostwatch %s watches %d cameras. Ctrl-C stops it.\n\n", h.Version, len(h.cameras))
	row := func(what, where, how string) { fmt.Fprintf(&b, "  %-11s %-28s %s\n", what, where, how) }
	row("alerts", h.at.Kafka, fmt.Sprintf("kcat -C -b %s -t %salerts", h.at.Kafka, h.cfg.Kafka.Prefix))
	row("vocabulary", h.at.Redis, fmt.Sprintf("redis-cli -p %d HSET %svocab:%s \"person waving\" \"\"", port(h.at.Redis), h.cfg.Redis.Prefix, h.cfg.Vocab.Name))
	if h.sim != nil {
		row("video", h.at.RTSP, "ffplay "+h.cameras[0].URL)
	}
	row("metrics", h.at.HTTP, fmt.Sprintf("curl http://%s/metrics", h.at.HTTP))
	row("rules", h.cfgPath, "edit the file; it is taken over at once")
	if h.cfg.Infer.Bundle == h.demoBundle() {
		fmt.Fprintf(&b, "\n  The demo model knows twelve actions of drawn people. On real video its answers mean nothing:\n  import a FROSTER or CLIP checkpoint and pass it with --model.\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(h.Out, b.String())
	return err
}

func (h *home) printAlert(value []byte) error {
	a, err := topics.DecodeAlert(value)
	if err != nil {
		return nil // anyone may write to the topic; what is no alert is not shown
	}
	_, err = fmt.Fprintln(h.Out, alertLine(a))
	return err
}

func (h *home) printStatus(value []byte) error {
	s, err := topics.DecodeStatus(value)
	if err != nil {
		return nil // see printAlert
	}
	_, err = fmt.Fprintln(h.Out, statusLine(s))
	return err
}

// started is taken a little early: records of the first moments count.
func started() time.Time { return time.Now().Add(-time.Second) }
