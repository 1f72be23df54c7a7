// Package up is `frostwatch up`: everything on one machine, with its own broker,
// Redis and simulated cameras.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/starter"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// DefaultData is the data directory if none is named.
const DefaultData = "frostwatch-data"

// Options are the flags of `up`.
type Options struct {
	Data    string   // directory in which everything is stored
	Config  string   // configuration file; empty: the data directory's own
	Ports   string   // "fixed" or "auto"
	Model   string   // bundle; empty: the configured one, or the demo's
	Cameras []string // NAME=URL
	Videos  []string // files to serve as cameras
	Size    int64    // that the data directory may have, in bytes; 0: as much as the disk has
	Verbose bool     // log at the configured level, not only errors

	Out, Err io.Writer // lines for people; logs
	Version  string    // of the program
	Itself   bool      // process.Options.Itself
}

// up is a running `up`.
type up struct {
	Options
	at      Endpoints
	cfg     config.Config
	file    config.File
	cfgPath string
	log     *slog.Logger
	broker  *embedded.Broker
	redis   *embedded.Redis
	sim     *camsim.Server // nil without files to serve
	cameras []topics.Camera
	served  []string // names of those that the simulator plays
	shown   map[string]shownStatus
	running bool // the start is over: the stages run
}

// Run starts everything, servers first, and stops it in the reverse order when ctx
// ends.
func Run(ctx context.Context, o Options) (err error) {
	unlock, err := embedded.Lock(o.Data)
	if err != nil {
		return err
	}
	defer unlock()
	u := &up{Options: o, shown: map[string]shownStatus{}}
	defer func() {
		// Whatever a stop interrupts of the start is no error.
		if !u.running {
			err = process.IgnoreEnd(ctx, err)
		}
		if err == nil {
			u.printTrouble("stopped", "everything is stored in "+u.Data)
		}
	}()
	if err := u.prepare(); err != nil {
		return err
	}
	if err := u.startServers(ctx); err != nil {
		return err
	}
	defer u.redis.Close()
	defer u.broker.Close()
	if err := u.findCameras(); err != nil {
		return err
	}
	return u.run(ctx)
}

// prepare writes the demo's files and reads the configuration.
func (u *up) prepare() (err error) {
	if u.at, err = ChooseEndpoints(u.Ports); err != nil {
		return err
	}
	if err := demo.Unpack(u.demoDir()); err != nil {
		return err
	}
	if err := u.readConfig(); err != nil {
		return err
	}
	level := "error" // problems are printed as lines
	if u.Verbose {
		level = u.cfg.Log.Level
	}
	if u.log, err = u.logger(level); err != nil {
		return err
	}
	return u.findModel()
}

func (u *up) demoDir() string { return filepath.Join(u.Data, "demo") }

// readConfig reads the file of --config, or that of the data directory, which is
// written at the first start. Its addresses are replaced by those of the servers
// that `up` runs.
func (u *up) readConfig() (err error) {
	u.cfgPath = u.Config
	if u.cfgPath == "" {
		u.cfgPath = ownConfig(u.Data)
		if !exists(u.cfgPath) {
			if err := u.writeConfig(); err != nil {
				return err
			}
		}
	}
	if u.file, err = config.Open(u.cfgPath); err != nil {
		return err
	}
	u.cfg = u.file.Config
	u.at.Names = &Names{KafkaPrefix: u.cfg.Kafka.Prefix, RedisPrefix: u.cfg.Redis.Prefix, Vocabulary: u.cfg.Vocab.Name, Sets: u.cfg.Vocab.Sets}
	if u.at.Config, err = filepath.Abs(u.cfgPath); err != nil {
		return fmt.Errorf("find the configuration: %w", err)
	}
	u.at.Configure(&u.cfg)
	u.cfg.HTTP.Listen, u.cfg.Console.Listen = u.at.HTTP, u.at.Console
	if packets := &u.cfg.Ingest.Packets; packets.Dir == "" {
		packets.Dir = filepath.Join(u.Data, "packets")
	}
	u.ownArchive()
	return u.share()
}

// writeConfig writes the first configuration: the demo's, or, for a model of one's own, one
// whose rules find their thresholds.
func (u *up) writeConfig() error {
	first := demo.Config()
	if u.Model != "" {
		var labels []string
		for _, l := range demo.Vocabulary() {
			if !l.Background {
				labels = append(labels, l.Name)
			}
		}
		var err error
		if first, err = starter.Config(starter.Machine, starter.Options{Watch: labels, Bundle: u.Model}); err != nil {
			return err
		}
	}
	if err := os.WriteFile(u.cfgPath, first, 0o644); err != nil {
		return fmt.Errorf("write the first configuration: %w", err)
	}
	return nil
}

// ownConfig is the configuration file in a data directory.
func ownConfig(data string) string { return filepath.Join(data, "pipeline.yaml") }

// overridden are the keys that `up` sets itself, whatever the file says.
var overridden = []string{
	"kafka.brokers", "kafka.replication", "redis.address", "redis.username", "redis.password", "redis.database",
	"http.listen", "console.listen", "framer.short_side",
}

// outranked are keys whose value is that of a flag.
func (u *up) outranked() map[string]string {
	if u.Model == "" {
		return nil
	}
	return map[string]string{"infer.bundle": "--model"}
}

// bundleOutranked says that the file names another model than --model; empty: it does not.
func (u *up) bundleOutranked() string {
	named := u.file.Config.Infer.Bundle
	if u.Model == "" || !u.file.Names("infer.bundle") || filepath.Clean(named) == filepath.Clean(u.Model) {
		return ""
	}
	return fmt.Sprintf("configuration: does not count, because --model is given: infer.bundle: %q of %s; the model is %s", topics.Clean(named), u.cfgPath, u.Model)
}

// ArchiveDir is where `up` stores its archive unless its configuration names
// another bucket.
func ArchiveDir(data string) string { return filepath.Join(data, "archive") }

// startServers starts the broker and Redis.
func (u *up) startServers(ctx context.Context) (err error) {
	if err := u.startBroker(); err != nil {
		return err
	}
	u.redis, err = embedded.StartRedis(ctx, embedded.RedisOptions{
		Dir: filepath.Join(u.Data, "redis"), Port: Port(u.at.Redis), Logger: u.log,
	})
	if err != nil {
		u.broker.Close()
		return err
	}
	return nil
}

// run runs the stages until ctx ends.
func (u *up) run(ctx context.Context) (err error) {
	pr, err := process.Open(ctx, process.Options{
		Config: u.cfg, File: u.file, Overridden: overridden, Outranked: u.outranked(), OnEdit: u.printEdit, OnTrouble: u.printTrouble, CameraNote: u.cameraNote(), Logger: u.log, Service: "frostwatch", Version: u.Version, Itself: u.Itself, Data: u.Data,
		Checks: []string{"ingest", "vocabulary", "infer", "alerts"},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pr.Close(ctx)) }()
	if err := u.seedVocabulary(ctx, pr); err != nil {
		return err
	}
	inferring, err := pr.Infer(u.bundleOf)
	if err != nil {
		return err
	}
	alerting, err := pr.Alerts()
	if err != nil {
		return err
	}
	ingesting, err := pr.Ingest(u.cameras...)
	if err != nil {
		return err
	}
	var archiving []process.Part
	if u.cfg.Archive.Bucket != config.NoArchive {
		if archiving, err = pr.Archive(ctx); err != nil {
			return err
		}
	}
	calibrating, err := pr.Calibrate(ctx)
	if err != nil {
		return err
	}
	notifying, err := pr.Notify()
	if err != nil {
		return err
	}
	showing, err := pr.Console(u.cameras...)
	if err != nil {
		return err
	}
	pr.Reporter().Describe(u.describeData)
	if err := u.bringCameras(ctx, pr); err != nil {
		return err
	}
	people, err := u.edits(ctx, pr)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", u.at.HTTP)
	if err != nil {
		return fmt.Errorf("listen for http: %w", err)
	}
	u.keepSettings(pr)
	if err := errors.Join(u.at.write(u.Data), u.banner(people)); err != nil {
		return errors.Join(err, l.Close())
	}
	if line := u.bundleOutranked(); line != "" {
		u.printTrouble(process.Caution, line)
	}
	unhook := context.AfterFunc(ctx, func() { u.printTrouble("stop", "finishing the clips that are being worked on") })
	defer unhook()
	u.running = true
	return pr.Run(ctx, l, u.order(ctx, pr, slices.Concat(showing, archiving, notifying, alerting, calibrating, inferring), ingesting)...)
}

// keepSettings notes what is in force, for `frostwatch config show`.
func (u *up) keepSettings(pr *process.Process) {
	bound := config.Setting{Key: sizeKey, Value: "none", From: config.FromDefault}
	if u.Size > 0 {
		bound.Value, bound.From = config.Bytes(u.Size).String(), config.FromUp
	}
	u.at.Settings = append(u.file.InForce(pr.Config), bound)
	if u.at.Live = pr.Live(); u.Model != "" {
		u.at.Live = slices.DeleteFunc(u.at.Live, func(key string) bool { return key == "infer.bundle" })
		u.at.Bundle, _ = filepath.Abs(u.Model) // empty: doctor looks at the file's
	}
}

// order puts consumers before producers, for process.Run. The simulated cameras
// stop after ingest, which would otherwise report their end as a fault. ending ends
// when `up` is asked to stop.
func (u *up) order(ending context.Context, pr *process.Process, consumers, ingesting []process.Part) []process.Part {
	parts := []process.Part{
		{Name: "redis", Early: true, Run: func(ctx context.Context) error { u.keepRedis(ctx, pr.Reporter()); return nil }},
		{Name: "disk", Early: true, Run: func(ctx context.Context) error { return u.broker.WatchDisk(ctx, pr.Reporter(), 0) }},
		{Name: "alert lines", Run: func(ctx context.Context) error { return pr.Follow(ctx, topics.Alerts, u.printAlert) }},
		{Name: "status lines", Run: func(ctx context.Context) error {
			return pr.Follow(ctx, topics.Status, func(value []byte) error { return u.printStatus(ending, value) })
		}},
		{Name: "camera lines", Run: func(ctx context.Context) error { return u.followCameras(ctx, pr) }},
	}
	parts = append(parts, consumers...)
	parts = append(parts, pr.Following()...)
	if u.sim != nil {
		parts = append(parts, process.Part{Name: "camera simulator", Run: func(ctx context.Context) error { return process.IgnoreEnd(ctx, u.sim.Run(ctx)) }})
	}
	return append(parts, ingesting...)
}

// keepRedis starts Redis again whenever it ends. Meanwhile the last vocabulary serves.
func (u *up) keepRedis(ctx context.Context, r telemetry.Reporter) {
	u.redis.Keep(ctx, func(err error) {
		r.Warning("redis", err)
		if err == nil {
			r.Incident("redis", errors.New("redis-server had ended unexpectedly and was started again"))
		}
	})
}

// printEdit confirms an edit in a line.
func (u *up) printEdit(line string) {
	_, _ = fmt.Fprintf(u.Out, "%s  edit     %s\n", time.Now().Format(clock), line)
}

func (u *up) printAlert(value []byte) error {
	a, err := topics.DecodeAlert(value)
	if err != nil {
		return nil // anyone may write to the topic; other records are not shown
	}
	_, err = fmt.Fprintln(u.Out, alertLine(a))
	return err
}

// printTrouble prints a line about something that is wrong, or well again.
func (u *up) printTrouble(kind, line string) {
	_, _ = fmt.Fprintf(u.Out, "%s  %-7s  %s\n", time.Now().Format(clock), kind, line)
}

// printStatus prints each new state of a camera's stream once. It does not print
// further attempts to connect, nor that the stream stops because `up` does.
func (u *up) printStatus(ending context.Context, value []byte) error {
	s, err := topics.DecodeStatus(value)
	if err != nil || ending.Err() != nil || s.State == topics.StreamConnecting && s.Why() == "" {
		return nil // see printAlert
	}
	now := shownStatus{s.State, s.Why()}
	if u.shown[s.Camera] == now {
		return nil
	}
	at := s.Since
	if u.shown[s.Camera].state == s.State { // the state is the same, what is wrong is new
		at = time.Now()
	}
	u.shown[s.Camera] = now
	_, err = fmt.Fprintln(u.Out, statusLine(s, at))
	return err
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
