// Package process is what the stages of one process share: clients, readiness,
// the web server, reloading, and their start and end.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Options of a Process.
type Options struct {
	Config  config.Config
	Logger  *slog.Logger
	Service string   // its name in telemetry
	Version string   // of the program
	Checks  []string // names that /readyz waits for, beside "kafka"

	// File is followed by Following; the zero value: there is none. Config may
	// differ from it in the keys of Overridden.
	File       config.File
	Overridden []string
	// OnEdit hears a line on each edit of the file that was taken over; may be nil.
	OnEdit func(line string)
	// CameraNote is said after each edit of the file's cameras; empty: nothing is.
	CameraNote string
	// OnTrouble, where a person reads along, hears a line when something goes wrong
	// or is well again, in place of the log, and of which kind it is: Trouble,
	// Solved or Caution; may be nil. Faults of single cameras are on the topic of
	// statuses.
	OnTrouble func(kind, line string)
}

// Kinds of lines for OnTrouble.
const (
	Trouble = "problem"
	Solved  = "solved"
	Caution = "warning"
)

// Process is what the stages of one process share.
type Process struct {
	Config config.Config
	Bus    *bus.Client
	Redis  *redis.Client
	Names  topics.Names

	log        *slog.Logger
	tel        *telemetry.Telemetry
	reporter   *reporter
	mux        *http.ServeMux
	version    string
	worker     string         // this process's name among workers
	stages     []string       // that were built, by name
	watcher    *vocab.Watcher // of the vocabulary, where infer runs; else nil
	created    chan struct{}  // closed when all topics exist
	file       config.File
	edited     config.Config // as last taken over from the file
	overridden []string
	takeovers  []takeover
	onEdit     func(string)
	onTrouble  func(kind, line string)
	cameraNote string
	unsettled  string // what was last said to be wrong with the file; empty: nothing
	grantWait  time.Duration

	free []func() error // what Close frees
	left bool           // parts of Run are still running
}

// Open makes the clients; nothing has to answer yet.
func Open(ctx context.Context, o Options) (*Process, error) {
	cfg := o.Config
	if err := checkRules(cfg); err != nil {
		return nil, err
	}
	if err := checkCameras(o.File, CameraLimits(cfg)); err != nil {
		return nil, err
	}
	tel, err := telemetry.Start(ctx, telemetry.Options{
		Service: o.Service, Version: o.Version,
		OTLPEndpoint: cfg.Telemetry.OTLPEndpoint, TraceRatio: cfg.Telemetry.TraceRatio,
	})
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	client, err := Kafka(cfg.Kafka, o.Service, o.Logger, tel.Meter("kafka"))
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	redis.SetLogger(redisLog{o.Logger})
	store, err := vocab.Connect(RedisOptions(cfg.Redis))
	if err != nil {
		return nil, errors.Join(err, client.Close(), tel.Shutdown(ctx))
	}
	p := &Process{
		Config: cfg, Bus: client, log: o.Logger, tel: tel,
		Redis:    store,
		Names:    topics.Names{Prefix: cfg.Kafka.Prefix},
		reporter: newReporter(append(slices.Clone(o.Checks), "kafka")...),
		mux:      http.NewServeMux(),
		version:  o.Version,
		file:     o.File, edited: o.File.Config, overridden: o.Overridden, onEdit: o.OnEdit, onTrouble: o.OnTrouble, cameraNote: o.CameraNote,
		worker:    fmt.Sprintf("%s-%d", host, os.Getpid()),
		created:   make(chan struct{}),
		grantWait: grantWait,
	}
	p.handleOwn()
	return p, nil
}

// Close frees what the stages took and gives the clients back, in at most a
// second. After a Run that left parts running nothing is freed: they use it.
func (p *Process) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if p.left {
		return p.tel.Shutdown(ctx)
	}
	closed := make(chan error, 1)
	go func() {
		var err error
		for _, free := range slices.Backward(p.free) {
			err = errors.Join(err, free())
		}
		closed <- errors.Join(err, p.Bus.Close(), p.Redis.Close())
	}()
	err := p.tel.Shutdown(ctx)
	select {
	case e := <-closed:
		return errors.Join(e, err)
	case <-ctx.Done():
		return errors.Join(errors.New("close: clients did not end in time"), err)
	}
}

// Reporter is for parts that are no stage of the process's own.
func (p *Process) Reporter() telemetry.Reporter { return p.reporter }

// onClose has free called by Close, the last registered first.
func (p *Process) onClose(free func() error) { p.free = append(p.free, free) }

// Run serves HTTP, creates the topics, and runs the parts: those that are Early
// at once, the others when the topics exist. It takes at most 9 s to return once
// ctx has ended.
func (p *Process) Run(ctx context.Context, l net.Listener, parts ...Part) error {
	p.reporter.waits(fmt.Sprintf("Kafka at %s", strings.Join(p.Config.Kafka.Brokers, ", ")))
	all := []Part{
		{Name: "http", Run: func(ctx context.Context) error { return serve(ctx, l, p.mux) }},
		{Name: "kafka", Run: p.watchKafka},
		{Name: "worker record", Run: p.afterTopics("worker record", p.describeWorker)},
		{Name: "readiness", Run: p.logReadiness},
	}
	for _, part := range parts {
		if !part.Early {
			part.Run = p.afterTopics(part.Name, part.Run)
		}
		all = append(all, part)
	}
	unhook := context.AfterFunc(ctx, func() { p.log.Info("stopping") })
	defer unhook()
	err := sequence(ctx, stopping{each: partTime, total: 7 * time.Second, last: time.Second}, all...)
	p.left = errors.Is(err, errLeft)
	if err == nil {
		p.log.Info("stopped")
	}
	return err
}

// partTime is what a part has to finish what is at hand: the stages take
// bus.Grace, and leaving a group its own time.
const partTime = bus.Grace + time.Second

func (p *Process) afterTopics(part string, run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-p.created:
			p.reporter.started(part)
			return run(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// pingEvery and pingTime make /readyz fall within 10 s of the broker's last
// answer.
const (
	pingEvery = 2 * time.Second
	pingTime  = 3 * time.Second
)

// watchKafka creates the topics, however long Kafka takes to appear, and then
// keeps asking whether it answers.
func (p *Process) watchKafka(ctx context.Context) error {
	if err := p.untilGranted(ctx, "kafka", func() error { return p.EnsureTopics(ctx) }); err != nil {
		return IgnoreEnd(ctx, err)
	}
	close(p.created)
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		p.ping(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *Process) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	p.reporter.Problem("kafka", p.Bus.Ping(ctx))
}

// EnsureTopics creates the topics that are absent.
func (p *Process) EnsureTopics(ctx context.Context) error {
	var specs []bus.TopicSpec
	for _, s := range topics.Specs(p.Config.Kafka.Partitions, p.Config.Kafka.Replication) {
		specs = append(specs, bus.TopicSpec{
			Name: p.Names.Of(s.Topic), Partitions: s.Partitions, Replication: p.Config.Kafka.Replication, Config: s.Config,
		})
	}
	return p.Bus.Ensure(ctx, specs)
}

// Follow calls show with the value of each new record of a topic until ctx ends.
func (p *Process) Follow(ctx context.Context, t topics.Topic, show func(value []byte) error) error {
	// A little early: records of the first moments count.
	since := time.Now().Add(-time.Second)
	err := p.Bus.ReadAll(ctx, p.Names.Of(t), since, true, func(m bus.Message) error { return show(m.Value) })
	return IgnoreEnd(ctx, err)
}

// IgnoreEnd is nil where an error is only that of the ended context.
func IgnoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
