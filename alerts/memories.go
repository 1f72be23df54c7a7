package alerts

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// firstLook is how far back recognitions are read at first. Where that gives a
// camera too few, four times as far is tried, and so on.
const firstLook = time.Minute

// restoreMemories fills the rules' memories with the recognitions before the
// committed offset: of each camera as many as its rules depend on, however far
// apart they are.
func (w *worker) restoreMemories(ctx context.Context, rules *RuleSet) error {
	first, _, err := w.p.Bounds(ctx)
	if err != nil {
		return err
	}
	next := w.p.Committed()
	if next <= first {
		return nil
	}
	last, err := w.Bus.FetchOne(ctx, w.p.Topic(), w.p.ID(), next-1)
	if err != nil {
		// Deleted by age, and everything before it too.
		return ctx.Err()
	}
	past, err := w.newPast(ctx, rules)
	if err != nil {
		return err
	}
	for back := firstLook; ; back *= 4 {
		from, err := w.Bus.OffsetAt(ctx, w.p.Topic(), w.p.ID(), last.Time.Add(-back))
		if err != nil {
			return err
		}
		from = min(from, next-1)
		if err := w.Bus.Replay(ctx, w.p.Topic(), w.p.ID(), from, next, past.reader()); err != nil {
			return err
		}
		if from <= first || past.enough(back) {
			break
		}
	}
	for _, c := range past.cameras {
		for _, rec := range c.clips {
			w.engine.Warm(rec)
		}
	}
	return nil
}

// past is what has been read of the recognitions before the committed offset.
type past struct {
	rules   *RuleSet
	cameras map[string]*pastCamera
	slow    map[string]time.Duration // strides of cameras too slow to appear in a short look
}

// pastCamera is what has been read of one camera.
type pastCamera struct {
	clips []topics.Recognition // the newest, as many as are needed, oldest first
	need  int
	full  bool // no need to look further back
}

func (w *worker) newPast(ctx context.Context, rules *RuleSet) (*past, error) {
	p := &past{rules: rules, cameras: map[string]*pastCamera{}, slow: map[string]time.Duration{}}
	select {
	case <-w.fleet.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for name, stride := range w.fleet.slow(firstLook / 4) {
		home, err := w.Bus.PartitionOf(ctx, w.p.Topic(), []byte(name))
		if err != nil {
			return nil, err
		}
		if home == w.p.ID() {
			p.slow[name] = stride
		}
	}
	return p, nil
}

// reader returns the function that takes the records of one look, oldest first,
// for the cameras that still need some.
func (p *past) reader() func(bus.Message) error {
	for _, c := range p.cameras {
		if !c.full {
			c.clips = nil
		}
	}
	return func(m bus.Message) error {
		if c := p.cameras[string(m.Key)]; c != nil && c.full {
			return nil // not needed: not even decoded
		}
		rec, err := decode(m)
		if err != nil {
			return nil //nolint:nilerr // it went to the dead letters when it was evaluated
		}
		c := p.cameras[rec.Camera]
		if c == nil {
			c = &pastCamera{need: p.rules.remembers(rec.Camera)}
			p.cameras[rec.Camera] = c
		}
		rec.Embedding, rec.First, rec.Last = nil, nil, nil // large, and of no use to rules
		if c.clips = append(c.clips, rec); len(c.clips) > c.need {
			c.clips = c.clips[1:]
		}
		return nil
	}
}

// enough is whether no camera needs a look further back than this one.
func (p *past) enough(back time.Duration) bool {
	enough := true
	for _, c := range p.cameras {
		c.full = c.full || c.settled(back)
		enough = enough && c.full
	}
	for name, stride := range p.slow {
		if p.cameras[name] == nil && back < 2*stride {
			enough = false
		}
	}
	return enough
}

// settled is whether looking further back than `back` would add nothing: there
// are enough clips, or the stream began among them. Where clips were lost, four
// times as long as they would have taken is far enough.
func (c *pastCamera) settled(back time.Duration) bool {
	if len(c.clips) >= c.need {
		return true
	}
	if len(c.clips) == 0 {
		return false
	}
	newest := c.clips[len(c.clips)-1]
	for _, rec := range c.clips {
		if rec.Epoch.Equal(newest.Epoch) && rec.Sequence == 0 {
			return true
		}
	}
	stride := strideBetween(newest.Epoch, 0, newest)
	return back > 4*time.Duration(c.need)*max(stride, time.Second)
}

// remembers is how many clips of a camera the rules depend on, at least one.
func (s *RuleSet) remembers(camera string) int {
	n := 1
	for _, r := range s.all() {
		if r.watches(camera) {
			n = max(n, r.kind.remembers())
		}
	}
	return n
}
