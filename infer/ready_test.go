package infer

import (
	"fmt"
	"image/color"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// A worker that makes no progress is not ready, whatever the reason, and logs it; it
// is ready again once it keeps up. A worker with nothing to do is ready.
func TestReadinessComesFromProgress(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	frame := jpegOf(t, 48, 32, color.White)
	stuck := r.model("stuck")
	stuck.gate = make(chan struct{})
	var ahead atomic.Int64 // of the stage's clock
	var log stagetest.Log
	said := stagetest.NewReports()
	o := r.options(stuck.recogniser())
	o.Reporter, o.MaxBatch, o.MaxAge = said, 1, 0
	o.Logger = log.Logger()
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	_, stop := start(t, o)
	ready := func() error { return said.Ready("infer") }
	stagetest.Await(t, "the partitions", func() bool { return len(said.Worker().Stages["infer"].Partitions) == 2 })
	ahead.Add(int64(time.Hour))
	if err := ready(); err != nil {
		t.Errorf("with nothing to do for an hour: %v", err)
	}
	for n := range 5 {
		r.send("a", clipOf(t, "a", n, frame, time.Now()))
	}
	<-stuck.begun
	stagetest.Await(t, "the clips to be read", func() bool { return said.Worker().Stages["infer"].Lag >= 3 })
	if err := ready(); err != nil {
		t.Errorf("when the clips have come: %v", err)
	}
	ahead.Add(int64(patience + time.Second))
	if err := ready(); err == nil || !strings.Contains(err.Error(), "nothing sent in the last 1") || !strings.Contains(err.Error(), "import the model in int8") {
		t.Errorf("after %v without progress: %v", patience, err)
	}
	stagetest.Await(t, "the warning", func() bool { return said.WarningOf("falling behind") != nil })
	if got := said.Worker().Stages["infer"]; got.Late < patience.Seconds() || got.Group != "infer" || got.Generation < 1 {
		t.Errorf("the worker says %+v", got)
	}
	if w := said.Worker(); w.Model != "stuck" || w.Vocab.Version != "of stuck" || w.Vocab.Name != "default" {
		t.Errorf("the worker says %+v", w)
	}
	close(stuck.gate)
	stagetest.Await(t, "the stage to keep up", func() bool { return ready() == nil && said.WarningOf("falling behind") == nil })
	if got := said.Worker().Stages["infer"]; got.Lag != 0 || got.Late != 0 {
		t.Errorf("at rest the worker says %+v", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := log.Count("falling behind the cameras"); n != 1 || !log.Contains("keeping up with the cameras again") {
		t.Errorf("the log says it %d times:\n%s", n, log.String())
	}
}

// lateVocabulary is not loaded until ready is closed.
type lateVocabulary struct {
	*fakeModel
	ready chan struct{}
}

func (v lateVocabulary) Ready() <-chan struct{} { return v.ready }

func (v lateVocabulary) Current() *scoring.Matrix {
	select {
	case <-v.ready:
		return v.matrix
	default:
		return nil
	}
}

// No clip is read before there is a vocabulary to score it against, and until then
// the worker is not ready.
func TestWaitsForTheVocabulary(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	for n := range 3 {
		r.send("a", clipOf(t, "a", n, frame, time.Now()))
	}
	m := r.model("first")
	late := lateVocabulary{m, make(chan struct{})}
	said := stagetest.NewReports()
	reads := &readBus{Client: r.newClient(), seen: map[int64]bool{}}
	o := r.options(Recogniser{Model: m, Vocabulary: late, Frames: fakeFrames, Side: fakeSide, Close: m.Close})
	o.Reporter, o.Bus = said, reads
	_, stop := start(t, o)
	if err := said.Ready("infer"); err == nil || !strings.Contains(err.Error(), "vocabulary") {
		t.Errorf("without a vocabulary: %v", err)
	}
	if len(said.Worker().Stages["infer"].Partitions) != 0 || reads.read() != 0 || m.hasRun() {
		t.Error("clips are read without a vocabulary")
	}
	close(late.ready)
	stagetest.Await(t, "the recognitions", func() bool { return len(r.read(topics.Actions)) == 3 })
	if err := said.Ready("infer"); err != nil {
		t.Errorf("with a vocabulary: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	r.wantEach(map[string]int{"a": 3})
}

// A stage that waits for its first vocabulary starts when it gets another model
// with one.
func TestSwapBeforeTheFirstVocabulary(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	first, next := r.model("first"), r.model("next")
	late := lateVocabulary{first, make(chan struct{})}
	s, stop := start(t, r.options(Recogniser{Model: first, Vocabulary: late, Frames: fakeFrames, Side: fakeSide, Close: first.Close}))
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.White), time.Now()))
	if err := s.Swap(t.Context(), next.recogniser()); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "the recognition", func() bool { return len(r.read(topics.Actions)) == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

type fakePartition struct{ lag int64 }

func (p *fakePartition) ID() int { return 3 }

func (p *fakePartition) Generation() int { return 4 }

func (p *fakePartition) Lag() int64 { return p.lag }

// The feed of one partition, with a clock of its own.
func TestFeed(t *testing.T) {
	const s = time.Second
	type world struct {
		f   *feed
		p   *fakePartition
		now time.Time
	}
	// clips makes n clips come at an interval, each dealt with at this age.
	clips := func(n int, every, age time.Duration) func(*world) {
		return func(w *world) {
			for range n {
				w.now = w.now.Add(every)
				w.f.read(w.now, 0)
				w.now = w.now.Add(age)
				w.f.settled(age)
				w.f.left()
				w.now = w.now.Add(-age)
			}
			w.now = w.now.Add(age)
		}
	}
	pass := func(d time.Duration) func(*world) { return func(w *world) { w.now = w.now.Add(d) } }
	lag := func(n int64) func(*world) { return func(w *world) { w.p.lag = n } }
	reads := func(age time.Duration) func(*world) {
		return func(w *world) { w.f.read(w.now.Add(-age), age) }
	}
	for _, c := range []struct {
		name  string
		steps []func(*world)
		ready bool
	}{
		{"nothing to do for a day", []func(*world){pass(24 * time.Hour)}, true},
		{"fed and keeping up", []func(*world){clips(50, 2*s, s)}, true},
		{"one waits after an hour of nothing", []func(*world){clips(5, 2*s, s), pass(time.Hour), reads(s)}, true},
		{"one waits for long", []func(*world){clips(5, 2*s, s), reads(0), pass(16 * s)}, false},
		{"one waits less long than three intervals", []func(*world){clips(10, time.Minute, s), reads(0), pass(2 * time.Minute)}, true},
		{"one waits longer than three intervals", []func(*world){clips(10, time.Minute, s), reads(0), pass(181 * s)}, false},
		{"a pause is no interval", []func(*world){clips(9, 2*s, s), pass(time.Hour), clips(2, 2*s, s), reads(0), pass(16 * s)}, false},
		{"records wait that are not even read", []func(*world){lag(7), pass(16 * s)}, false},
		{"an old backlog, just begun", []func(*world){lag(7), reads(time.Hour), pass(10 * s)}, true},
		{"always late", []func(*world){clips(50, 2*s, 20*s), lag(7)}, false},
	} {
		w := &world{p: &fakePartition{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		w.f = newFeed(w.p, func() time.Time { return w.now })
		for _, step := range c.steps {
			step(w)
		}
		if s := w.f.look(); s.stuck() == c.ready {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

// What to do is said once, however many partitions wait.
func TestStuckPartitionsAreReportedInOneLine(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := &backlog{now: func() time.Time { return now }, feeds: map[*feed]bool{}}
	b.add(&fakePartition{lag: 3})
	b.add(&fakePartition{lag: 3})
	if err := b.check(); err != nil {
		t.Errorf("at first: %v", err)
	}
	now = now.Add(patience + time.Second)
	err := b.check()
	if err == nil || !strings.Contains(err.Error(), "partitions like it: 1)") || strings.Count(err.Error(), remedy) != 1 || strings.Contains(err.Error(), "\n") {
		t.Errorf("two are stuck: %v", err)
	}
}

// Falling behind is logged as it begins, when clips begin to be skipped, each
// minute, and as it ends.
func TestFallingBehindIsLogged(t *testing.T) {
	var log stagetest.Log
	var heard error
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := func() time.Time { return now }
	b := &backlog{log: log.Logger(), report: func(err error) { heard = err }, maxAge: 30 * time.Second, now: clock, feeds: map[*feed]bool{}}
	p := &fakePartition{}
	f := b.add(p)
	lines := 0
	look := func(what, want string, warned bool) {
		t.Helper()
		b.judge(t.Context())
		all := strings.Split(strings.TrimSpace(log.String()), "\n")
		got := strings.Join(all[lines:], "\n")
		if lines = len(all); log.String() == "" {
			lines = 0
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: logged %q, want %q", what, got, want)
		}
		if (heard != nil) != warned {
			t.Errorf("%s: the reporter has %v", what, heard)
		}
	}
	look("at rest", "", false)
	p.lag = 40
	now = now.Add(9 * time.Second)
	look("late, but not very", "", false)
	now = now.Add(2 * time.Second)
	look("late", "late=11s waiting=40 skipped=0", true)
	now = now.Add(20 * time.Second)
	look("later", "", true)
	f.skipped(100)
	look("skipping", "skipped=100 max_age=30s", true)
	f.skipped(100)
	look("skipping on", "", true)
	now = now.Add(time.Minute)
	look("a minute on", "skipped=200", true)
	if !strings.Contains(fmt.Sprint(heard), "200 were skipped as older than infer.max_age (30s) since 2026-01-02T03:04:16Z") {
		t.Errorf("the reporter has %v", heard)
	}
	f.settled(7 * time.Second)
	look("less late", "", true)
	f.settled(time.Second)
	look("level", "level=INFO msg=\"keeping up with the cameras again\" behind_for=1m20s skipped=200", false)
	f.skipped(3)
	b.remove(f)
	look("skipped, and the partition gone", "skipped=3", true)
	look("level again", "skipped=3", false)
}
