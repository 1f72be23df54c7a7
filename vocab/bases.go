package vocab

import (
	"context"
	"fmt"
	"math"
)

// bases are the model's base classes.
type bases struct {
	known   map[string]bool // by folded name
	names   []string        // those embedded; none before all are
	vectors [][]float32
}

// nearest is the base class most like a text.
type nearest struct {
	name       string
	similarity float64
}

// nearestTo is kept with the text: base classes do not change.
func (b bases) nearestTo(e *embedding) nearest {
	if len(b.names) == 0 {
		return nearest{}
	}
	if e.nearest == nil {
		best, at := float32(math.Inf(-1)), 0
		for i, base := range b.vectors {
			if s := dot(base, e.vector); s > best {
				best, at = s, i
			}
		}
		e.nearest = &nearest{b.names[at], float64(best)}
	}
	return *e.nearest
}

// embedBases embeds the next few base classes, so that edits wait for few; more
// says whether any are left. With the last of them labels get their nearest: the
// nearest of some would be wrong.
func (w *Watcher) embedBases(ctx context.Context) (more bool, err error) {
	if len(w.pending) == 0 || w.Current() == nil {
		return false, nil
	}
	texts := w.pending[:min(w.chunk, len(w.pending))]
	if err := w.embedFew(ctx, texts, map[string]error{}); err != nil {
		return false, fmt.Errorf("base classes: %w", err)
	}
	if w.pending = w.pending[len(texts):]; len(w.pending) > 0 {
		return true, nil
	}
	for _, c := range w.BaseClasses {
		if e := w.known[c]; e != nil { // some can't be embedded
			w.bases.names, w.bases.vectors = append(w.bases.names, c), append(w.bases.vectors, e.vector)
		}
	}
	w.serve()
	return false, nil
}
