package calibrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
)

// gatherOptions say what of the past becomes series.
type gatherOptions struct {
	model   Model
	columns map[string][]column // by camera; no other camera is read
	// only is whether a camera's clip is taken, and to which part of its past it belongs:
	// no rule counts clips of two parts together. nil: all are taken, in one part.
	only func(camera string, start, end time.Time) (part int, ok bool)
	// most bounds the values of all series together; 0: there is no bound.
	most int64
}

// gathered is the past of some cameras in memory.
type gathered struct {
	series map[string]*series
	other  otherModels
	counts archive.Counts
}

// column is some words of a rule, of which the highest contrast counts.
type column struct {
	words    *Words
	from, to int
	part     *part // of the picture; nil: the whole
}

// of is the log odds of the highest contrast of the words with a clip.
func (c column) of(clip []scoring.View, row *archive.Row) float32 {
	best := 0.0
	for i := c.from; i < c.to; i++ {
		best = max(best, c.words.values(i, clip, row.LogitScale).Contrast)
	}
	return float32(logit(best))
}

// gather reads the clips of a range whose cameras are those of the columns.
func gather(ctx context.Context, past Past, g archive.Range, o gatherOptions) (*gathered, error) {
	out := &gathered{series: map[string]*series{}, other: otherModels{}}
	if len(o.columns) == 0 {
		return out, nil
	}
	all := &gathering{gatherOptions: o}
	all.partitions.fresh = all.partition
	g.Cameras, g.Views = slices.Sorted(maps.Keys(o.columns)), true
	for _, columns := range o.columns {
		g.Ends = g.Ends || slices.ContainsFunc(columns, func(c column) bool { return c.words.ends })
	}
	var err error
	out.counts, err = past.Scan(ctx, g, func(b archive.Batch) error { return all.partitions.of(b.Partition).batch(b) })
	if err != nil {
		return nil, err
	}
	for _, p := range all.partitions.all {
		for camera, s := range p.series {
			if before := out.series[camera]; before == nil || before.len() < s.len() {
				out.series[camera] = s
			}
		}
		out.other.add(p.other)
	}
	return out, nil
}

type gathering struct {
	gatherOptions
	partitions partitions[gatheredPart]
	values     atomic.Int64
}

// gatheredPart is one partition: partitions are scanned at the same time.
type gatheredPart struct {
	*gathering
	series map[string]*series
	other  otherModels
	clips  *reading
}

func (g *gathering) partition() *gatheredPart {
	return &gatheredPart{gathering: g, series: map[string]*series{}, other: otherModels{}, clips: newReading(g.model)}
}

func (p *gatheredPart) batch(b archive.Batch) error {
	for i := range b.Rows {
		row := &b.Rows[i]
		columns := p.columns[row.Camera]
		stretch, wanted := p.part(row)
		if len(columns) == 0 || !wanted {
			continue
		}
		if !p.model.made(b, row) {
			p.other.note(row)
			continue
		}
		s := p.series[row.Camera]
		if s == nil {
			s = newSeries(len(columns))
			p.series[row.Camera] = s
		}
		whole := p.clips.of(b, i).views
		s.add(row.Epoch.Add(time.Duration(stretch)), row.Start, row.End, func(at int) float32 {
			if part := columns[at].part; part != nil {
				return columns[at].of(p.clips.in(part).views, row)
			}
			return columns[at].of(whole, row)
		})
		if n := p.values.Add(int64(len(columns))); p.most > 0 && n > p.most {
			return fmt.Errorf("these are more than %d values of clips: too many to be kept in memory together", p.most)
		}
	}
	return nil
}

// part is that of a clip. Parts become epochs that differ by nanoseconds.
func (g *gathering) part(row *archive.Row) (part int, ok bool) {
	if g.only == nil {
		return 0, true
	}
	return g.only(row.Camera, row.Start, row.End)
}
