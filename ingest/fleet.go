package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// fleet is the processes by which a worker's cameras are read. The worker itself holds
// the leases, sends to Kafka, and is the only one to reach the bucket.
type fleet struct {
	*Stage
	Readers

	tasks sync.WaitGroup

	mu      sync.Mutex
	ctx     context.Context // of run; nil before
	runs    uint64          // starts of cameras, so far
	numbers int             // processes, so far
	homes   []*reader
	apart   []*reader // for cameras that are suspected of crashes
	cameras map[*remote]bool
	suspect map[string]time.Time // cameras that were in a process that crashed without saying why, by name
}

func newFleet(s *Stage) *fleet {
	return &fleet{Stage: s, Readers: *s.Readers, cameras: map[*remote]bool{}, suspect: map[string]time.Time{}}
}

// run lets processes be started until stop is called, which waits for their ends.
func (f *fleet) run(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.mu.Lock()
	f.ctx = ctx
	f.mu.Unlock()
	f.tasks.Go(func() { pause.Every(ctx, f.times.quarantine/600+100*time.Millisecond, f.tick) })
	return func() error {
		cancel()
		f.tasks.Wait()
		return nil
	}
}

// start has a camera read, once what is before it is over.
func (f *fleet) start(ctx context.Context, c topics.Camera, was before, b *board, send bus.SendFunc) *remote {
	if f.Send != nil {
		send = f.Send
	}
	m := &remote{
		fleet: f, camera: c, was: was, board: b, send: send, log: f.Logger.With("camera", c.Name),
		tags: c.Tags, words: c.Vocabulary, done: make(chan struct{}),
	}
	f.live.add(m)
	f.metrics.begin(ctx, c.Name)
	f.mu.Lock()
	f.cameras[m] = true
	f.mu.Unlock()
	f.tasks.Go(func() {
		if was.after != nil {
			<-was.after
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.home(m)
	})
	return m
}

// home gives a camera to the process that has the fewest. It needs the lock.
func (f *fleet) home(m *remote) {
	if m.over {
		return
	}
	if m.ending {
		m.finish(m.why)
		return
	}
	var least *reader
	for _, r := range f.homes {
		if least == nil || len(r.cameras) < len(least.cameras) {
			least = r
		}
	}
	if least == nil || len(least.cameras) >= f.Each && len(f.homes) < f.Most {
		least = f.newReader(false)
		f.homes = append(f.homes, least)
	}
	least.adopt(m)
}

// aside gives a camera to a process of its own; false: there are too many of those. It
// needs the lock.
func (f *fleet) aside(cameras ...*remote) bool {
	if len(f.apart) >= apartMost || len(cameras) == 0 {
		return false
	}
	r := f.newReader(true)
	f.apart = append(f.apart, r)
	for _, m := range cameras {
		r.adopt(m)
	}
	return true
}

// newReader begins a process, which is started once it has a camera. It needs the lock.
func (f *fleet) newReader(apart bool) *reader {
	f.numbers++
	r := &reader{fleet: f, number: f.numbers, apart: apart, cameras: map[uint64]*remote{}, parts: map[string]bool{}, wake: make(chan struct{}, 1)}
	ctx := f.ctx
	f.tasks.Go(func() { r.run(ctx) })
	return r
}

// tick looks after cameras that no process has, and brings home those that have held.
func (f *fleet) tick() {
	now := f.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for m := range f.cameras {
		switch {
		case m.over || m.parked || m.until.IsZero():
		case now.Before(m.until):
			if st := m.state.Load(); st != nil && now.Sub(st.At) >= topics.StatusEvery {
				m.publish(*st)
			}
		case f.aside(m):
			m.log.Info("camera tried again, by a process of its own")
			m.until = time.Time{}
		}
	}
	for _, r := range f.apart {
		if r.conn == nil || r.began.IsZero() || now.Sub(r.began) < f.times.hold {
			continue
		}
		for _, m := range r.cameras {
			if !m.ending && !m.moving {
				m.log.Info("camera is read together with others again", "held", now.Sub(r.began).Round(time.Second))
				m.moving, m.crashes = true, 0
				delete(f.suspect, m.camera.Name)
				r.conn.Put(pipe.Message{Kind: pipe.Stop, Run: m.run})
			}
		}
	}
}

// bury finds what has killed a process, and has its cameras read again: what killed it by
// a process of its own, or, the second time, only after a while. It needs no lock.
func (f *fleet) bury(r *reader, d death) {
	f.mu.Lock()
	defer f.mu.Unlock()
	cameras := r.leave()
	f.metrics.died(f.ctx, d.cause, 1)
	f.Logger.Warn("a process that reads cameras has ended: it is started again", "reader", r.number, "cause", d.cause, "camera", d.camera, "cameras", len(cameras), "says", d.text)
	culprit, sifted := f.blame(cameras, d)
	var away []*remote
	for _, m := range cameras {
		switch {
		case m.ending:
			m.finish(m.why)
		case m.recorded():
			m.parked = true // it has been seen to its end
		case m == culprit:
			f.strike(r, m, d)
		default:
			m.crashed(false)
			if slices.Contains(sifted, m) {
				away = append(away, m)
				continue
			}
			f.back(r, m)
		}
	}
	if !f.aside(away...) {
		for _, m := range away {
			f.back(r, m)
		}
	}
}

// back has a camera read by the process that it was in, or at home. It needs the lock.
func (f *fleet) back(r *reader, m *remote) {
	if r.apart {
		f.home(m)
		return
	}
	r.adopt(m)
}

// blame finds the camera by which a process has died. Where nothing names it, half of those
// that may be it are sifted out, so that the next death says more. It needs the lock.
func (f *fleet) blame(cameras []*remote, d death) (culprit *remote, sifted []*remote) {
	for _, m := range cameras {
		if m.camera.Name == d.camera {
			return m, nil
		}
	}
	now := f.Now()
	var known []*remote // that were in the one before as well
	for _, m := range cameras {
		if at, was := f.suspect[m.camera.Name]; was && now.Sub(at) < f.times.recent {
			known = append(known, m)
		}
	}
	clear(f.suspect)
	suspects := known
	if len(known) == 0 {
		suspects = cameras
	}
	for _, m := range suspects {
		f.suspect[m.camera.Name] = now
	}
	switch {
	case len(suspects) == 1 && (len(cameras) == 1 || len(known) == 1):
		return suspects[0], nil
	case len(known) == 0:
		return nil, nil // it may have been chance
	}
	return nil, suspects[:len(suspects)/2]
}

// strike is for a camera that has killed its process. It needs the lock.
func (f *fleet) strike(r *reader, m *remote, d death) {
	now := f.Now()
	if now.Sub(m.struck) > f.times.recent {
		m.crashes = 0
	}
	m.crashes++
	m.struck = now
	if m.crashes < crashesMost {
		m.crashed(true)
		switch {
		case r.apart && len(r.cameras) == 0:
			r.adopt(m)
		case !f.aside(m):
			f.home(m)
		}
		return
	}
	m.until = now.Add(f.times.quarantine)
	how := "crashed"
	if d.cause == causeHung {
		how = "stopped"
	}
	reason := fmt.Sprintf("its stream %s the process that reads it %d times: it is tried again at %s", how, m.crashes, m.until.UTC().Format(time.TimeOnly+" MST"))
	m.log.Warn("camera in quarantine", "reason", reason)
	f.Reporter.Warning(partOf(m.camera.Name), errors.New(reason))
	m.publish(topics.StreamStatus{State: topics.StreamWaiting, Reason: reason, RetryAt: m.until.UTC()})
}

// setOwn passes on that Trust.Own has changed.
func (f *fleet) setOwn() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range slices.Concat(f.homes, f.apart) {
		if r.conn == nil {
			continue
		}
		for _, m := range r.cameras {
			own, env := f.allowance(m.camera)
			r.conn.Put(pipe.Message{Kind: pipe.Own, Run: m.run, Own: own, Env: env})
		}
	}
}

// pulses are how the cameras of the processes are.
func (f *fleet) pulses() (out []pipe.Pulse) {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range slices.Concat(f.homes, f.apart) {
		out = append(out, r.pulse)
	}
	return out
}
