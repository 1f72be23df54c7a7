package alerts

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

// firstLook is how far back recognitions are read at first. Where that is not enough
// for a camera, four times as far is tried, and so on.
const firstLook = time.Minute

// restoreMemories fills the rules' memories with the recognitions before the
// committed offset: of each camera as many as its rules depend on, however far
// apart they are.
func (w *worker) restoreMemories(ctx context.Context) error {
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
	past, err := w.newPast(ctx)
	if err != nil {
		return err
	}
	for back := firstLook; ; back *= 4 {
		from, err := w.Bus.OffsetAt(ctx, w.p.Topic(), w.p.ID(), last.Time.Add(-back))
		if err != nil {
			return err
		}
		from = min(from, next-1)
		past.begin()
		if err := w.Bus.Replay(ctx, w.p.Topic(), w.p.ID(), from, next, past.take); err != nil {
			return err
		}
		if from <= first || past.enough(back) {
			return nil
		}
	}
}

// past shows an engine the recognitions before the committed offset, in looks that
// each go further back than the one before.
type past struct {
	engine  *Engine
	settled map[string]bool          // cameras that need no look further back
	seen    map[string]bool          // other cameras, in this look
	slow    map[string]time.Duration // strides of cameras too slow to appear in a short look
}

func (w *worker) newPast(ctx context.Context) (*past, error) {
	p := &past{engine: w.engine, settled: map[string]bool{}, seen: map[string]bool{}, slow: map[string]time.Duration{}}
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

// begin starts a look.
func (p *past) begin() { clear(p.seen) }

// take takes the records of a look, oldest first.
func (p *past) take(m bus.Message) error {
	if p.settled[string(m.Key)] {
		return nil // not needed: not even decoded
	}
	rec, err := decode(m)
	if err != nil || p.settled[rec.Camera] {
		return nil //nolint:nilerr // it went to the dead letters when it was evaluated
	}
	if !p.seen[rec.Camera] {
		p.seen[rec.Camera] = true
		p.engine.forgetClips(rec.Camera) // of the look before
	}
	p.engine.Warm(rec)
	return nil
}

// enough ends a look; it is whether no camera needs one further back.
func (p *past) enough(back time.Duration) bool {
	enough := true
	for name := range p.seen {
		if p.engine.complete(name, back) {
			p.settled[name] = true
		} else {
			enough = false
		}
	}
	for name, stride := range p.slow {
		if !p.seen[name] && !p.settled[name] && back < 2*stride {
			enough = false
		}
	}
	return enough
}

// forgetClips drops what the engine has seen of a camera. Its alerts stay.
func (e *Engine) forgetClips(name string) {
	c := e.cameras[name]
	if c == nil {
		return
	}
	c.epochs, c.last, c.stride = nil, about{}, 0
	for _, w := range c.rules {
		w.memory = w.rule.kind.begin(nil, w.judge)
	}
}

// complete is whether clips of a camera that are older than those that the engine has
// seen would change nothing. Where clips were lost, four times as long as they would
// have taken is far enough.
func (e *Engine) complete(name string, back time.Duration) bool {
	c := e.cameras[name]
	if c == nil || len(c.epochs) == 0 { // there are too many cameras for it to be remembered
		return true
	}
	var need reach
	complete := true
	for _, w := range c.rules {
		complete = complete && w.memory.complete(w.open != nil)
		more := w.rule.kind.remembers()
		need = reach{max(need.clips, more.clips), max(need.span, more.span)}
	}
	newest := c.epochs[len(c.epochs)-1]
	stride := strideBetween(newest.began, 0, newest.newest, newest.sequence)
	return complete || back > 4*(need.span+time.Duration(need.clips)*max(stride, time.Second))
}
