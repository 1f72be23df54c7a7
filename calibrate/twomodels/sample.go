package twomodels

import (
	"context"
	"fmt"
	"math/bits"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// stretch is how long clips are taken one after the other: rules count clips that follow
	// each other.
	stretch = time.Minute
	// maxStretch bounds the pictures of a stretch that are in memory, in bytes.
	maxStretch = 256 << 20
	// batch is how many clips the models are given at once.
	batch = 8
)

// stretches are the stretches of a range, each as far as can be from those before it: as
// many as are taken, they are spread evenly (the bits of their numbers are reversed, as van
// der Corput's sequence does).
func stretches(since, until time.Time) (out []archive.Range) {
	n := int((until.Sub(since) + stretch - 1) / stretch)
	if n < 1 {
		return nil
	}
	width := bits.Len(uint(n - 1))
	for i := range 1 << width {
		at := int(bits.Reverse64(uint64(i)) >> (64 - width))
		if at >= n {
			continue
		}
		from := since.Add(time.Duration(at) * stretch)
		to := from.Add(stretch)
		if to.After(until) {
			to = until
		}
		out = append(out, archive.Range{Since: from, Until: to})
	}
	return out
}

// pair is a clip as both models see it.
type pair struct {
	of    [2]*topics.Recognition
	time  time.Time // Kafka's, of its record
	small bool      // its frames are smaller than what the second model takes
}

// sample takes clips until there are enough, or no more.
func (c *comparison) sample(ctx context.Context) error {
	for _, g := range stretches(c.Since, c.Until) {
		if len(c.pairs) >= c.Clips {
			return nil
		}
		g.Cameras, g.Late = c.Cameras, stretch
		if err := c.take(ctx, g); err != nil {
			return fmt.Errorf("compare the clips from %s on: %w", g.Since.UTC().Format(time.RFC3339), err)
		}
	}
	return nil
}

// clips are those of a stretch whose pictures are still there.
func (c *comparison) clips(ctx context.Context, g archive.Range) (out []infer.Placed, at []time.Time, err error) {
	size, seen := 0, map[string]bool{}
	_, err = c.Past.Clips(ctx, g, func(r archive.Record[topics.Clip]) error {
		if len(c.pairs)+len(out) >= c.Clips {
			return archive.ErrStop
		}
		for _, f := range r.Value.Frames {
			size += len(f.JPEG)
		}
		if size > maxStretch {
			c.cut = true
			return archive.ErrStop
		}
		if !seen[r.Value.ID] { // one that was sent twice counts once
			seen[r.Value.ID] = true
			out, at = append(out, infer.Placed{Clip: r.Value, At: r.At}), append(at, r.Time)
		}
		return nil
	})
	return out, at, err
}

// take takes the clips of a stretch.
func (c *comparison) take(ctx context.Context, g archive.Range) error {
	clips, at, err := c.clips(ctx, g)
	if err != nil || len(clips) == 0 {
		return err
	}
	known, err := c.known(ctx, g, clips)
	if err != nil {
		return err
	}
	for from := 0; from < len(clips); from += batch {
		to := min(from+batch, len(clips))
		var of [2][]*topics.Recognition
		for side, m := range c.models() {
			if of[side], err = m.see(ctx, clips[from:to], known[side]); err != nil {
				return fmt.Errorf("model %s: %w", m.Name, err)
			}
		}
		for i := range of[0] {
			if of[0][i] == nil || of[1][i] == nil {
				c.undecoded++
				continue
			}
			clip := &clips[from+i]
			c.pairs = append(c.pairs, pair{[2]*topics.Recognition{of[0][i], of[1][i]}, at[from+i], min(clip.Width, clip.Height) < c.B.single.Side})
		}
		if c.Progress != nil {
			c.Progress(len(c.pairs), c.Clips)
		}
	}
	return nil
}

// known are what the models have recorded of clips, by clip.
func (c *comparison) known(ctx context.Context, g archive.Range, clips []infer.Placed) (known [2]map[string]*topics.Recognition, err error) {
	wanted := map[string]bool{}
	for _, clip := range clips {
		wanted[clip.ID] = true
	}
	g.Late = 0 // recognitions come as late as they may
	known = [2]map[string]*topics.Recognition{{}, {}}
	_, err = c.Past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if !wanted[r.Value.ClipID] {
			return nil
		}
		for side, m := range c.models() {
			if m.recorded(&r.Value) {
				known[side][r.Value.ClipID] = m.taken(r.Value)
				c.recorded[side]++
			}
		}
		return nil
	})
	return known, err
}

// see is what a model sees in clips: what it has recorded, and else what it makes of the
// pictures now.
func (m *Model) see(ctx context.Context, clips []infer.Placed, known map[string]*topics.Recognition) ([]*topics.Recognition, error) {
	out := make([]*topics.Recognition, len(clips))
	var fresh []infer.Placed
	var at []int
	for i, c := range clips {
		if out[i] = known[c.ID]; out[i] == nil {
			fresh, at = append(fresh, c), append(at, i)
		}
	}
	if len(fresh) == 0 {
		return out, nil
	}
	seen, err := m.single.Recognise(ctx, fresh)
	if err != nil {
		return nil, err
	}
	for i, rec := range seen {
		out[at[i]] = rec
	}
	return out, nil
}
