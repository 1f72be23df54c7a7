package ingest

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/pipe"
	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/topics"
)

// remote is a camera that another process reads.
type remote struct {
	*fleet
	camera topics.Camera
	board  *board
	send   bus.SendFunc
	log    *slog.Logger
	done   chan struct{} // closed once it is over
	state  atomic.Pointer[topics.StreamStatus]

	// Under fleet.mu.
	was     before
	run     uint64  // its start in a process
	process *reader // that has it; nil: none
	tags    []string
	words   string
	fps     float64
	ending  bool
	why     string // it ends, for a status; empty: none is wanted
	over    bool
	moving  bool      // to another process
	parked  bool      // a recording that has ended
	crashes int       // by it, of late
	struck  time.Time // the latest of them
	until   time.Time // the end of its quarantine; zero: it is in none
}

func (m *remote) gauge() (string, float64, *topics.StreamStatus) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.camera.Name, m.fps, m.state.Load()
}

// begins is the message with which a process is to read the camera. It needs the lock.
func (m *remote) begins() pipe.Message {
	c := m.camera
	c.Tags, c.Vocabulary = m.tags, m.words
	own, env := m.allowance(m.camera)
	return pipe.Message{
		Kind: pipe.Start, Run: m.run, Camera: &c, Own: own, Env: env,
		Delay: m.was.delay, Offline: m.was.offline, Counted: m.was.counted,
	}
}

// allowance is what a camera may have beyond what any may: its entry among the operator's
// own, and the values of the variables that its URL names.
func (f *fleet) allowance(c topics.Camera) (own []topics.Camera, env map[string]string) {
	t := f.resolver.trust
	if t.owns(c) {
		own = []topics.Camera{c}
	}
	env = map[string]string{}
	_, _ = envtext.Expand(c.URL, func(name string, _ int) (string, error) { // the other process reports what is wrong with it
		if value, set := f.resolver.getenv(name); set && (own != nil || t.mayName(name) == nil) {
			env[name] = value
		}
		return "", nil
	})
	return own, env
}

func (m *remote) stop() { m.end("") }

func (m *remote) giveUp(reason string) { m.end(reason) }

// end waits for the camera's end, for as long as a worker has for that.
func (m *remote) end(why string) {
	m.mu.Lock()
	m.ending, m.why = true, why
	switch {
	case m.process == nil && (m.run > 0 || m.over):
		m.finish(why)
	case m.process != nil && m.process.conn == nil:
		m.finish(why) // it is between two processes
	case m.process != nil:
		m.process.conn.Put(pipe.Message{Kind: pipe.Stop, Run: m.run, Text: why})
	}
	m.mu.Unlock()
	late := time.NewTimer(bus.Grace)
	defer late.Stop()
	select {
	case <-m.done:
	case <-late.C:
		m.mu.Lock()
		m.finish(why)
		m.mu.Unlock()
	}
}

// finish ends a camera that no process reads any more; a reason is published. It needs the
// lock.
func (m *remote) finish(why string) {
	if m.over {
		return
	}
	if why != "" {
		m.publish(topics.StreamStatus{State: topics.StreamStopped, Reason: why})
	}
	m.over = true
	if m.process != nil {
		delete(m.process.cameras, m.run)
		m.process = nil
	}
	delete(m.cameras, m)
	m.live.remove(m)
	m.Reporter.Warning(partOf(m.camera.Name), nil)
	close(m.done)
}

func (m *remote) retag(tags []string, vocabulary string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tags, m.words = tags, vocabulary
	if m.process != nil && m.process.conn != nil {
		m.process.conn.Put(pipe.Message{Kind: pipe.Retag, Run: m.run, Tags: tags, Words: vocabulary})
	}
}

// took passes on a status of the process that reads it. It needs the lock.
func (m *remote) took(st topics.StreamStatus) {
	if m.over {
		return
	}
	st.Camera, st.Worker = m.camera.Name, m.Worker
	m.state.Store(&st)
	m.board.post(st)
}

// publish posts a status of a camera that no process reads. It needs the lock.
func (m *remote) publish(st topics.StreamStatus) {
	now := m.Now().UTC()
	st.Camera, st.Worker, st.Since, st.At = m.camera.Name, m.Worker, now, now
	if was := m.state.Load(); was != nil {
		st.OfflineSince = was.OfflineSince
		if was.State == st.State {
			st.Since = was.Since
		}
	}
	if st.State == topics.StreamStopped {
		st.OfflineSince = time.Time{}
	} else if st.OfflineSince.IsZero() {
		st.OfflineSince = now
	}
	m.was.offline = st.OfflineSince
	m.fps = 0
	m.state.Store(&st)
	m.board.post(st)
}

// recorded is whether the camera is a recording that has been read to its end.
func (m *remote) recorded() bool {
	st := m.state.Load()
	return st != nil && st.State == topics.StreamStopped && strings.HasPrefix(st.Reason, endOfFile)
}

// crashed publishes that the process that read the camera is gone, and that another one
// reads it next; by it: because of the camera itself. It needs the lock.
func (m *remote) crashed(byIt bool) {
	m.was.delay = 0
	reason := "the process that reads it has ended, and is started again"
	if byIt {
		reason = "its stream crashed the process that reads it: now it is read by one of its own"
	}
	m.Reporter.Warning(partOf(m.camera.Name), errors.New(reason))
	m.publish(topics.StreamStatus{State: topics.StreamWaiting, Reason: reason, RetryAt: m.Now().UTC()})
}
