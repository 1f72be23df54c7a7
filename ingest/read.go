package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Ends is what a process that reads cameras has of its worker, at the other end of the pipe.
type Ends struct {
	Logger     *slog.Logger
	Meter      metric.Meter
	Tracer     trace.Tracer
	Propagator propagation.TextMapPropagator
	Reporter   telemetry.Reporter
	Keep       Keep
	Open       Table
	Getenv     func(string) (string, bool)
}

// reading is a process that reads cameras for a worker.
type reading struct {
	stage *Stage
	conn  *pipe.Conn
	board *board
	tally *telemetry.Tally
	open  *openTable
	ends  sync.WaitGroup

	mu     sync.Mutex
	env    map[string]string
	own    map[string]topics.Camera // by name
	runs   map[uint64]*runner
	ending map[string]<-chan struct{} // by camera: closed once the latest of its runs has ended
}

// Read reads cameras for the worker at the other end of in and out, until the worker says
// so or is gone. build makes the stage's options of Readers.Setup; Bus and Readers of them
// are not used.
func Read(ctx context.Context, in io.Reader, out io.Writer, build func(json.RawMessage, Ends) (Options, error)) error {
	conn := pipe.New(in, out)
	m, err := conn.Receive()
	if err != nil || m.Kind != pipe.Setup {
		return errors.New("read cameras: this command is started by `frostwatch ingest` alone")
	}
	r := &reading{
		conn: conn, tally: telemetry.NewTally(), open: newOpenTable(),
		env: map[string]string{}, own: map[string]topics.Camera{}, runs: map[uint64]*runner{}, ending: map[string]<-chan struct{}{},
	}
	deferred := telemetry.Deferred{}
	log := slog.New(lineHandler{conn: conn, level: slog.Level(m.Level)})
	r.open.log = log
	o, err := build(m.Setup, Ends{
		Logger: log, Meter: r.tally, Tracer: deferred, Propagator: deferred,
		Reporter: remoteReporter{telemetry.Quiet{}, conn}, Keep: remoteKeep{conn}, Open: r.open, Getenv: r.getenv,
	})
	if err != nil {
		return fmt.Errorf("read cameras: %w", err)
	}
	o.Bus, o.Readers = noBus{}, nil
	if m.What == setupApart {
		o.Films = nil
	}
	if r.stage, err = New(o); err != nil {
		return err
	}
	r.board = newBoard(o.Names.Of(topics.Status), statusPartition{conn}, o.Logger)
	return r.run(ctx)
}

// run ends what it has started once the worker says so.
func (r *reading) run(ctx context.Context) error {
	posting, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beside sync.WaitGroup
	beside.Go(func() {
		_ = r.conn.Run() // without the worker nothing is of use: the process ends
		stop()
	})
	defer beside.Wait()
	defer r.conn.End()
	stopFilms, err := r.stage.runFilms(posting)
	if err != nil {
		return err
	}
	beside.Go(func() { r.board.run(posting) })
	beside.Go(func() { pause.Every(posting, pulseEvery, r.beat) })
	beside.Go(func() {
		pause.Every(posting, lookEvery, func() {
			r.stage.look(r.stage.Now())
			r.stage.examine(r.stage.Now())
		})
	})
	r.beat()
	finished := r.serve(posting)
	if !finished {
		r.conn.Close()
		return errors.Join(errors.New("read cameras: the worker is gone"), r.leave(stopFilms))
	}
	r.stopAll()
	err = stopFilms()
	r.beat()
	return err
}

// leave ends all in a hurry: nobody needs it any more.
func (r *reading) leave(stopFilms func() error) error {
	r.stopAll()
	return stopFilms()
}

// serve does what the worker says; finished is whether it has said to end.
func (r *reading) serve(ctx context.Context) (finished bool) {
	for {
		m, err := r.conn.Receive()
		if err != nil {
			return false
		}
		switch m.Kind {
		case pipe.Start:
			r.start(ctx, m)
		case pipe.Stop:
			r.stop(ctx, m)
		case pipe.Retag:
			if c := r.find(m.Run); c != nil {
				c.retag(m.Tags, m.Words)
			}
		case pipe.Own:
			if c := r.find(m.Run); c != nil {
				r.allow(c.camera.Name, m)
			}
		case pipe.Open:
			r.open.put(bus.Message{Key: []byte(m.Text), Value: m.Body})
		case pipe.Trend:
			r.open.trend(m.Error)
		case pipe.Finish:
			return true
		}
	}
}

func (r *reading) find(run uint64) *runner {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[run]
}

func (r *reading) getenv(name string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, set := r.env[name]
	return value, set
}

// allow notes what a camera may have beyond what any may.
func (r *reading) allow(camera string, m pipe.Message) {
	r.mu.Lock()
	delete(r.own, camera)
	for _, c := range m.Own {
		r.own[c.Name] = c
	}
	maps.Copy(r.env, m.Env)
	all := slices.Collect(maps.Values(r.own))
	r.mu.Unlock()
	r.stage.SetOwn(all)
}

func (r *reading) start(ctx context.Context, m pipe.Message) {
	if m.Camera == nil {
		return
	}
	c := *m.Camera
	r.allow(c.Name, m)
	r.mu.Lock()
	defer r.mu.Unlock()
	was := before{delay: m.Delay, offline: m.Offline, counted: m.Counted, after: r.ending[c.Name]}
	r.runs[m.Run] = r.stage.begin(ctx, c, was, r.board, r.sender(m.Run))
}

// sender sends the clips of a camera by the worker.
func (r *reading) sender(run uint64) bus.SendFunc {
	return func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		for _, m := range msgs {
			answer, err := r.conn.Call(ctx, pipe.Message{
				Kind: pipe.Clip, Run: run, Since: m.Since, Span: telemetry.Deferred{}.Attributes(ctx), Body: m.Value,
			})
			switch {
			case err != nil:
				return nil, err
			case answer.Moved:
				return nil, bus.ErrMoved
			case answer.Error != "":
				return nil, errors.New(answer.Error)
			}
		}
		return make([]topics.RecordRef, len(msgs)), nil
	}
}

// stop ends a camera, without making the others wait.
func (r *reading) stop(ctx context.Context, m pipe.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.runs[m.Run]
	if c == nil {
		return
	}
	delete(r.runs, m.Run)
	ended := make(chan struct{})
	r.ending[c.camera.Name] = ended
	r.ends.Go(func() {
		if m.Text == "" {
			c.stop()
		} else {
			c.giveUp(m.Text)
		}
		close(ended)
		flushing, cancel := context.WithTimeout(ctx, flushTime)
		defer cancel()
		r.board.flush(flushing)
		r.conn.Put(pipe.Message{Kind: pipe.Stopped, Run: m.Run})
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.ending[c.camera.Name] == ended {
			delete(r.ending, c.camera.Name)
		}
	})
}

// stopAll ends the cameras that are left.
func (r *reading) stopAll() {
	r.mu.Lock()
	left := slices.Collect(maps.Values(r.runs))
	r.mu.Unlock()
	for _, c := range left {
		r.ends.Go(c.stop)
	}
	r.ends.Wait()
}

// beat says that the process lives, and what it has counted.
func (r *reading) beat() {
	pulse := r.stage.progress.pulse()
	pulse.Cameras = map[uint64]pipe.Vital{}
	r.mu.Lock()
	runs := maps.Clone(r.runs)
	r.mu.Unlock()
	for run, c := range runs {
		pulse.Cameras[run] = pipe.Vital{FPS: float64(c.fps.Load()) / 1000, Counted: c.accounted()}
	}
	counts := r.tally.Take()
	r.conn.Put(pipe.Message{Kind: pipe.Beat, Pulse: &pulse, Tally: &counts})
}
