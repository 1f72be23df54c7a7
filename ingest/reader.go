package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// reader is a process that reads cameras; after its end, the one that follows it.
type reader struct {
	*fleet
	number int
	apart  bool
	wake   chan struct{} // holds one, when it has a camera

	// Under fleet.mu.
	cameras map[uint64]*remote // by run
	conn    *pipe.Conn         // nil: no process takes cameras now
	pid     int                // of the latest process
	began   time.Time          // its first sign of life; zero: it has given none
	idle    time.Time          // since when it has no camera; zero: it has
	parts   map[string]bool    // of which it has reported a warning
	pulse   pipe.Pulse
}

// adopt gives it a camera. It needs the lock.
func (r *reader) adopt(m *remote) {
	r.runs++
	m.run, m.process, m.moving = r.runs, r, false
	r.cameras[m.run] = m
	if r.conn != nil {
		r.conn.Put(m.begins())
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// leave takes all cameras from it, and what it has reported. It needs the lock.
func (r *reader) leave() (out []*remote) {
	for _, m := range r.cameras {
		m.process = nil
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *remote) int { return int(a.run) - int(b.run) })
	clear(r.cameras)
	r.pulse = pipe.Pulse{}
	for part := range r.parts {
		r.Reporter.Warning(part, nil)
	}
	clear(r.parts)
	return out
}

// run keeps a process while there are cameras for it, until ctx ends; one that is apart,
// until it has none.
func (r *reader) run(ctx context.Context) {
	defer r.retire()
	for failures := 0; ctx.Err() == nil; failures++ {
		for r.empty() {
			if r.apart && r.gone() {
				return
			}
			select {
			case <-r.wake:
			case <-ctx.Done():
				return
			}
		}
		begun := time.Now()
		d := r.live(ctx)
		if ctx.Err() != nil {
			return
		}
		if d.cause == causeIdle {
			failures = -1
			continue
		}
		r.bury(r, d)
		if time.Since(begun) > settled {
			failures = 0
		}
		// The first restart is at once.
		if failures > 0 && !pause.For(ctx, pause.Backoff(200*time.Millisecond, 10*time.Second, failures)) {
			return
		}
	}
}

// settled is how long a process lives that is no failure from the start.
const settled = 10 * time.Second

func (r *reader) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.cameras) == 0
}

// gone takes a process that is apart off the list, unless it was given a camera meanwhile.
func (r *reader) gone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.cameras) > 0 {
		return false
	}
	r.fleet.apart = slices.DeleteFunc(r.fleet.apart, func(o *reader) bool { return o == r })
	return true
}

// retire ends the cameras that are left: the worker stops.
func (r *reader) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.leave() {
		m.finish(m.why)
	}
}

// live runs a process until its end.
func (r *reader) live(ctx context.Context) death {
	p, err := spawn(ReadCommand)
	if err != nil {
		r.Logger.Error("a process that reads cameras can't be started", "error", err)
		return death{cause: causeStart, text: err.Error()}
	}
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	conn := pipe.New(p.out, p.in)
	v := &visit{reader: r, conn: conn, process: p, calls: map[uint64]context.CancelFunc{}, tasks: &tasks}
	r.greet(conn, p.pid)
	tasks.Go(func() { _ = conn.Run() }) // its end shows in what is received
	tasks.Go(func() { v.watch(ctx) })
	if r.Films != nil && !r.apart {
		tasks.Go(func() { v.follow(ctx) })
	}
	err = v.receive(ctx)
	r.mu.Lock()
	if r.conn == conn {
		r.conn = nil
	}
	r.mu.Unlock()
	cancel()
	conn.Close()
	d := p.end()
	tasks.Wait()
	if v.idle {
		return death{cause: causeIdle}
	}
	if v.hung {
		d.cause, d.camera = causeHung, ""
	}
	if d.text == "" {
		d.text = topics.Clean(err.Error())
	}
	return d
}

// greet sends what the process is built from, and its cameras.
func (r *reader) greet(conn *pipe.Conn, pid int) {
	setup := pipe.Message{Kind: pipe.Setup, Setup: r.Setup, Level: int(r.level())}
	if r.apart {
		setup.What = setupApart
	}
	conn.Put(setup)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn, r.pid, r.began, r.idle = conn, pid, time.Time{}, time.Time{}
	for _, m := range r.cameras {
		conn.Put(m.begins())
	}
}

// level is the least of what the worker logs.
func (f *fleet) level() slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if f.Logger.Enabled(context.Background(), l) {
			return l
		}
	}
	return slog.LevelError
}

// setupApart is of a process that keeps no packets.
const setupApart = "apart"

// visit is one process of a reader.
type visit struct {
	*reader
	conn    *pipe.Conn
	process *process
	tasks   *sync.WaitGroup
	hung    bool // it was ended, since it gave no sign of life
	idle    bool // it was ended, since it had no camera

	seen  sync.Mutex
	beat  bool // since the last look
	calls map[uint64]context.CancelFunc
}

// watch ends a process that gives no sign of life, that has no cameras, or whose time is
// over. It counts its own looks, so that a worker that was stopped itself ends nobody.
func (v *visit) watch(ctx context.Context) {
	const looks = 10
	tick := time.NewTicker(v.times.hang / looks)
	defer tick.Stop()
	for missed := 0; ; missed++ {
		select {
		case <-ctx.Done():
			v.conn.Put(pipe.Message{Kind: pipe.Finish})
			v.process.endBy(v.times.finish)
			return
		case <-tick.C:
		}
		v.seen.Lock()
		if v.beat {
			missed, v.beat = 0, false
		}
		v.seen.Unlock()
		if missed >= looks {
			v.hung = true
			v.process.kill()
			return
		}
		if v.useless() {
			v.idle = true
			v.conn.Put(pipe.Message{Kind: pipe.Finish})
			v.process.endBy(v.times.finish)
			return
		}
	}
}

// useless is whether the process has had no camera for a while; it gets none any more.
func (v *visit) useless() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.Now()
	switch {
	case len(v.cameras) > 0:
		v.reader.idle = time.Time{}
	case v.reader.idle.IsZero():
		v.reader.idle = now
	case now.Sub(v.reader.idle) >= idleMost || v.apart:
		v.reader.conn = nil
		return true
	}
	return false
}

// follow passes on the table of open alerts.
func (v *visit) follow(ctx context.Context) {
	v.Films.Open.Keep(ctx, func(m bus.Message) error {
		return v.conn.Post(ctx, pipe.Message{Kind: pipe.Open, Text: string(m.Key), Body: m.Value})
	}, func(err error) {
		trend := pipe.Message{Kind: pipe.Trend}
		if err != nil {
			trend.Error = err.Error()
		}
		_ = v.conn.Post(ctx, trend) // the process has ended
	})
}

// own is the program that runs, also while an upgrade replaces its file.
func own() string {
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		return "/proc/self/exe"
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func protocol(format string, args ...any) error { return fmt.Errorf("it sends "+format, args...) }
