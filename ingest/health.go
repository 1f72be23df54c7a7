package ingest

import (
	"context"
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// health is what a camera's statuses say of its video besides the state.
type health struct {
	mu      sync.Mutex
	ended   bool      // the runner is stopped: nothing is repeated any more
	offline time.Time // since when the camera has not given video; zero: it does
	frame   time.Time // when the latest frame came
	resumed time.Time // when frames came again after the first pause since the newest clip
	steady  bool      // frames come, the first of them at begun on the stream's clock
	begun   time.Duration
	frames  int       // that came since counted
	counted time.Time // zero: the camera does not stream
	rate    float64   // frames a second in the latest rateOver; 0: not known
	hurt    int       // frames that were damaged since counted
	damaged float64   // share of them in the latest rateOver
	without string    // why the camera streams without clips; empty: it doesn't
}

// pausing is how long no frame comes before that is a pause, which may cost a clip: the
// framer keeps a picture on display for little longer.
const pausing = 3 * time.Second

// rateOver is the time over which the rate of frames is counted.
const rateOver = 20 * time.Second

func (h *health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
}

// online notes that nothing is wrong with the camera any more.
func (h *health) online() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offline = time.Time{}
}

// kept notes a frame that came and is not decoded, or later.
func (r *runner) kept(ctx context.Context) {
	r.metrics.keep(ctx, r.camera.Name)
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	r.health.arrived(r.Now(), r.newestClip())
}

// arrived notes that a frame has come. The mutex is held.
func (h *health) arrived(now, clip time.Time) {
	if now.Sub(h.frame) > pausing && !h.resumed.After(clip) {
		h.resumed = now
	}
	h.frame = now
	h.frames++
}

// came notes a frame that was decoded; kept is whether it was noted before. A camera that was offline is back once it has given video for
// as long as a clip takes: one that breaks off before that is of no use.
func (r *runner) came(pts time.Duration, kept bool) {
	h := &r.health
	h.mu.Lock()
	if !kept {
		h.arrived(r.Now(), r.newestClip())
	}
	if !h.steady || pts < h.begun {
		h.steady, h.begun = true, pts
	}
	back := !h.offline.IsZero() && pts-h.begun >= r.window()
	if back {
		h.offline = time.Time{}
	}
	h.mu.Unlock()
	if back {
		r.repeat()
	}
}

// damaged notes a frame that is damaged; one that is passed over came nevertheless.
func (r *runner) damaged(ctx context.Context, passed bool) {
	r.metrics.damage(ctx, r.camera.Name)
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	r.health.hurt++
	if passed {
		r.metrics.frame(ctx, r.camera.Name)
		r.health.frames++
	}
}

// lacks notes that the camera streams without clips since then, and what broke its video
// off; empty: nothing did.
func (h *health) lacks(since time.Time, broken string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := func(t time.Time) string { return t.UTC().Format(time.TimeOnly + " MST") }
	why := broken
	switch {
	case !h.frame.IsZero() && now.Sub(h.frame) > leastPatience/2:
		why = "no frame since " + of(h.frame)
	case broken == "":
		why = "none has reached Kafka"
	}
	h.without = "no clip since " + of(since) + ": " + why
}

// clips notes that clips are made.
func (h *health) clips() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.without = ""
}

// note brings what is known up to date with the stream's state. The mutex is held.
func (h *health) note(st topics.StreamState, now time.Time) {
	if st == topics.StreamStreaming {
		if h.counted.IsZero() {
			h.counted, h.frames, h.hurt, h.rate, h.damaged = now, 0, 0, 0, 0
		}
		return
	}
	h.steady, h.counted, h.rate, h.damaged, h.without = false, time.Time{}, 0, 0, ""
	if st != topics.StreamStopped {
		h.lost(now)
	}
}

// away notes that the camera is not even tried.
func (h *health) away(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost(now)
}

// lost notes that no frames come, since the latest one. The mutex is held.
func (h *health) lost(now time.Time) {
	if !h.offline.IsZero() {
		return
	}
	h.offline = now
	if !h.frame.IsZero() {
		h.offline = h.frame
	}
}

// count works out the rate of frames, and how many of them are damaged, each rateOver of
// a stream.
func (h *health) count(now time.Time) {
	took := now.Sub(h.counted)
	if h.counted.IsZero() || took < rateOver {
		return
	}
	h.rate = math.Round(10*float64(h.frames)/took.Seconds()) / 10
	h.damaged = math.Round(100*float64(min(h.hurt, h.frames))/float64(max(h.frames, 1))) / 100
	h.counted, h.frames, h.hurt = now, 0, 0
}

// publish posts a status with all that is known of the camera; it never blocks.
func (r *runner) publish(st topics.StreamStatus) topics.StreamStatus {
	picture := r.picture(st.State)
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	return r.post(st, picture)
}

// post is publish with the mutex held.
func (r *runner) post(st topics.StreamStatus, picture *topics.PictureFaults) topics.StreamStatus {
	now := r.Now().UTC()
	st.Camera, st.Worker, st.Since, st.At = r.camera.Name, r.Worker, now, now
	// Since is when the state began, whatever details change.
	if was := r.state.Load(); was != nil && was.State == st.State {
		st.Since = was.Since
	}
	r.health.note(st.State, now)
	st.OfflineSince, st.Rate, st.Damaged, st.Picture = r.health.offline.UTC(), r.health.rate, r.health.damaged, picture
	if st.State == topics.StreamStreaming {
		st.Reason = r.health.without
	}
	if r.health.offline.IsZero() {
		st.OfflineSince = time.Time{}
	}
	st.Main = r.main.Load()
	r.state.Store(&st)
	r.board.post(st)
	return st
}

// picture is what the sink says of the pictures of a camera that streams.
func (r *runner) picture(state topics.StreamState) *topics.PictureFaults {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sink == nil || state != topics.StreamStreaming {
		return nil
	}
	return r.sink.Picture()
}

// repeat posts the latest status with what is known now.
func (r *runner) repeat() {
	was := r.state.Load()
	if was == nil {
		return
	}
	picture := r.picture(was.State)
	r.health.mu.Lock()
	defer r.health.mu.Unlock()
	if now := r.state.Load(); !r.health.ended && now.State == was.State {
		r.post(*now, picture)
	}
}

// examine posts the status of each camera of which there is something new to say, and
// repeats the others from time to time. Alerts rest on these records
// alone: a worker that is gone, or that does not reach Kafka, says nothing of its
// cameras.
func (s *Stage) examine(now time.Time) {
	for _, r := range s.live.list() {
		was := r.state.Load()
		if was == nil {
			continue
		}
		r.health.mu.Lock()
		r.health.count(now)
		rate, damaged, without, offline := r.health.rate, r.health.damaged, r.health.without, !r.health.offline.IsZero()
		r.health.mu.Unlock()
		streaming := was.State == topics.StreamStreaming
		picture := r.picture(was.State)
		every := topics.StatusEvery
		if !offline && without == "" && (picture == nil || picture.Fine()) {
			every = healthyEvery
		}
		news := !reflect.DeepEqual(picture, was.Picture) || differs(rate, was.Rate) || differs(damaged, was.Damaged)
		if news || streaming && without != was.Reason || now.Sub(was.At) >= every-lookEvery/2 {
			r.repeat()
		}
	}
}

// healthyEvery is how often the status of a camera is repeated with which nothing is
// wrong: so rules that begin at some hour know of it.
const healthyEvery = time.Minute

// differs is whether a rate is worth a record.
func differs(rate, posted float64) bool { return math.Abs(rate-posted) > max(.1, .02*posted) }
