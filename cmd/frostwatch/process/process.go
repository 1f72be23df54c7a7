// Package process runs stages in one process. It provides what they share: the
// clients of Kafka and Redis, readiness, the web server, reloading of the
// configuration, and an orderly start and stop.
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
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/pause"
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
	Itself  bool     // the executable is frostwatch, which can be started to read cameras; else they are read by this process
	Checks  []string // parts, beside "kafka", that keep /readyz at 503 until they have started

	// Data is a folder of this process besides those of the configuration, such as that of
	// the broker that it runs; may be empty. Its disk is measured.
	Data string
	// File is the configuration file, which Following watches for edits; the zero
	// value if there is none. Config may differ from it in the keys of Overridden.
	File       config.File
	Overridden []string
	// Outranked are keys whose value is that of a flag, by key; edits of them never count.
	Outranked map[string]string
	// OnEdit is called with a line about each edit that has taken effect; may be
	// nil.
	OnEdit func(line string)
	// CameraNote is a warning after the first edit that leaves the file with
	// cameras; may be empty.
	CameraNote string
	// OnTrouble is for a process that a person watches: it is called, in place of
	// the log, with a line when something goes wrong or is well again. kind is
	// Trouble, Solved or Caution. It may be nil. Faults of single cameras are not
	// reported here: they are on the status topic.
	OnTrouble func(kind, line string)
}

// Kinds of lines for OnTrouble.
const (
	Trouble = "problem"
	Solved  = "solved"
	Caution = "warning"
)

// Process holds what the stages of one process share.
type Process struct {
	Config config.Config
	Bus    *bus.Client
	Redis  *redis.Client
	Names  topics.Names

	log         *slog.Logger
	tel         *telemetry.Telemetry
	reporter    *reporter
	mux         *http.ServeMux
	version     string
	worker      string // this process's name among workers
	itself      bool
	stages      []string        // names of those that run here
	pageAt      string          // where the console listens; empty: nowhere
	watchers    *vocab.Watchers // of the vocabularies, where infer runs; else nil
	rules       *ruleSources    // nil until a stage needs them
	data        string
	created     chan struct{} // closed when all topics exist
	file        config.File
	unfitted    config.Framer // as configured, before it was fitted to the model
	edited      config.Config // the file as last reloaded
	overridden  []string
	outranked   map[string]string
	reloadables []reloadable
	onEdit      func(string)
	onTrouble   func(kind, line string)
	cameraNote  string
	fileState   string // fileRefused, fileNeedsStart, or empty: the file is in force
	grantWait   time.Duration

	free []func() error // called by Close, the last first
	left bool           // Run has returned while some parts were still running
}

// Open makes the clients. Neither Kafka nor Redis has to answer yet.
func Open(ctx context.Context, o Options) (*Process, error) {
	cfg := o.Config
	if _, err := checkParts(cfg); err != nil {
		return nil, err
	}
	if err := checkCameras(o.File, cameraedit.LimitsOf(cfg)); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	worker := fmt.Sprintf("%s-%d", host, os.Getpid())
	reports := newReporter(append(slices.Clone(o.Checks), "kafka")...)
	tel, err := telemetry.Start(ctx, telemetry.Options{
		Service: o.Service, Version: o.Version, Instance: worker,
		OTLPEndpoint: cfg.Telemetry.OTLPEndpoint, TraceRatio: cfg.Telemetry.TraceRatio, Failing: notSent(o.Logger, reports), Full: notCounted(o.Logger, reports),
	})
	if err != nil {
		return nil, err
	}
	log := tel.Logger(o.Logger)
	client, err := Kafka(cfg.Kafka, o.Service, log, tel.Meter("kafka"))
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	redis.SetLogger(redisLog{log})
	logOTelErrors(o.Logger)
	store, err := vocab.Connect(RedisOptions(cfg.Redis))
	if err != nil {
		return nil, errors.Join(err, client.Close(), tel.Shutdown(ctx))
	}
	p := &Process{
		Config: cfg, Bus: client, log: log, tel: tel,
		Redis:    store,
		Names:    topics.Names{Prefix: cfg.Kafka.Prefix},
		reporter: reports,
		mux:      http.NewServeMux(),
		version:  o.Version,
		file:     o.File, edited: o.File.Config, overridden: o.Overridden, outranked: o.Outranked, onEdit: o.OnEdit, onTrouble: o.OnTrouble, cameraNote: o.CameraNote,
		worker:    worker,
		itself:    o.Itself,
		data:      o.Data,
		created:   make(chan struct{}),
		grantWait: grantWait,
	}
	if err := p.observe(); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	p.handleOwn()
	return p, nil
}

// notSent reports what a collector of traces and logs does not take. It is logged here
// alone: the collector could not be sent it.
func notSent(log *slog.Logger, reports *reporter) func(what string, err error) {
	return func(what string, err error) {
		if err == nil {
			log.Info(what + " are sent to the collector again")
		} else {
			err = fmt.Errorf("%s are not sent to the collector (telemetry.otlp_endpoint): %w", what, err)
			log.Warn("collector", "error", topics.Clean(err.Error()))
		}
		reports.Warning("export of "+what, err)
	}
}

// notCounted reports a metric that has more series than are kept.
func notCounted(log *slog.Logger, reports *reporter) func(metric string, err error) {
	return func(metric string, err error) {
		if err != nil {
			log.Warn("metric", "name", metric, "error", err)
		}
		reports.Warning("metric "+metric, err)
	}
}

// Logger is the process's log.
func (p *Process) Logger() *slog.Logger { return p.log }

// Close frees what the stages have allocated and closes the clients, within a
// second. If Run has left parts running, nothing is freed, because they use it.
func (p *Process) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if p.left {
		p.endTelemetry(ctx)
		return nil
	}
	closed := make(chan error, 1)
	go func() {
		var err error
		for _, free := range slices.Backward(p.free) {
			err = errors.Join(err, free())
		}
		closed <- errors.Join(err, p.Bus.Close(), p.Redis.Close())
	}()
	p.endTelemetry(ctx) // which may take all of the time
	select {
	case err := <-closed:
		return err
	default:
	}
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return errors.New("close: clients did not end in time")
	}
}

// endTelemetry sends the collector what it has not got yet. That a collector is away makes no
// stop a failure: it has been reported while the process ran.
func (p *Process) endTelemetry(ctx context.Context) {
	if err := p.tel.Shutdown(ctx); err != nil {
		p.log.Debug("the last traces and lines were not sent", "error", topics.Clean(err.Error()))
	}
}

// Reporter is for parts that were not built by this package.
func (p *Process) Reporter() telemetry.Reporter { return p.reporter }

// onClose registers a function for Close to call, the last registered first.
func (p *Process) onClose(free func() error) { p.free = append(p.free, free) }

// Run serves HTTP, creates the topics, and runs the parts: those that are Early
// at once, the others when the topics exist. It returns at most 9 s after ctx has
// ended.
func (p *Process) Run(ctx context.Context, l net.Listener, parts ...Part) error {
	p.reporter.waits("Kafka at " + p.brokers())
	all := []Part{
		{Name: "http", Run: func(ctx context.Context) error { return serve(ctx, l, p.mux, p.log) }},
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

// partTime is how long a part may take to stop. Stages take bus.Grace to finish
// their work, and some more time to leave their group.
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

// pingEvery and pingTime are such that /readyz is 503 within 10 s of the broker's
// last answer.
const (
	pingEvery = 2 * time.Second
	pingTime  = 3 * time.Second
)

// watchKafka creates the topics, however long Kafka takes to start, and then
// checks regularly that it answers.
func (p *Process) watchKafka(ctx context.Context) error {
	if err := p.untilGranted(ctx, "kafka", func() error { return p.EnsureTopics(ctx) }); err != nil {
		return IgnoreEnd(ctx, err)
	}
	close(p.created)
	p.ping(ctx)
	pause.Every(ctx, pingEvery, func() { p.ping(ctx) })
	return nil
}

func (p *Process) ping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	p.reporter.Problem("kafka", p.unreachable(ctx, p.Bus.Ping(ctx)))
}

// unreachable explains why a ping has failed.
func (p *Process) unreachable(ctx context.Context, err error) error {
	switch {
	case refused(err):
		return &refusal{p.whatToGrant(err), err}
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("Kafka at %s does not answer within %v", p.brokers(), pingTime)
	}
	return err
}

func (p *Process) brokers() string { return strings.Join(p.Config.Kafka.Brokers, ", ") }

// EnsureTopics creates the topics that are absent.
func (p *Process) EnsureTopics(ctx context.Context) error {
	return p.Bus.Ensure(ctx, bus.TopicSpecs(p.Names, p.Config.Kafka.Partitions, p.Config.Kafka.Replication))
}

// Follow calls show with the value of each new record of a topic until ctx ends.
func (p *Process) Follow(ctx context.Context, t topics.Topic, show func(value []byte) error) error {
	// A little early, so as not to miss records that are sent right now.
	since := time.Now().Add(-time.Second)
	err := p.Bus.ReadAll(ctx, p.Names.Of(t), since, true, func(m bus.Message) error { return show(m.Value) })
	return IgnoreEnd(ctx, err)
}

// IgnoreEnd returns nil in place of an error that follows from the end of ctx.
func IgnoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
