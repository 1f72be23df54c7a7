package calibrate

import (
	"math"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// reading takes clips out of the batches of a scan. Its memory is used again for the
// next one.
type reading struct {
	model  Model
	memory []scoring.Clip // of each view
	views  []scoring.View
	seen   []archive.View  // the same, as they were recorded; none: where they are is not known
	parts  map[*part]*part // copies of those that were asked for
	whole  selection
	zoned  selection
}

// selection are some of the views of a row.
type selection struct {
	views []scoring.View
	index []int // of each in the row
}

func newReading(m Model) *reading { return &reading{model: m, parts: map[*part]*part{}} }

// of are the views of the whole picture of row i of a batch, valid until the next call: one
// of a clip that names none.
func (r *reading) of(b archive.Batch, i int) selection {
	r.all(b, i)
	return r.pick(&r.whole, nil)
}

// in are those views of the row that was read last which count for a part of the picture,
// none where it is not known where they are.
func (r *reading) in(p *part) selection {
	own := r.parts[p]
	if own == nil {
		own = p.copied()
		r.parts[p] = own
	}
	return r.pick(&r.zoned, own)
}

func (r *reading) pick(to *selection, p *part) selection {
	to.views, to.index = to.views[:0], to.index[:0]
	for i := range r.views {
		switch {
		case i < len(r.seen):
			if v := &r.seen[i]; !p.counts(v.View, v.Box, v.Zone) {
				continue
			}
		case p != nil:
			continue
		}
		to.views, to.index = append(to.views, r.views[i]), append(to.index, i)
	}
	return *to
}

// all are the views of row i of a batch, valid until the next call. First and last frames
// are those that the batch has.
func (r *reading) all(b archive.Batch, i int) []scoring.View {
	from, to := 2*b.Dims*i, 2*b.Dims*(i+1)
	row := &b.Rows[i]
	own := archive.View{Logit: row.References.Logit, Mean: b.Embeddings[from:to]}
	if len(b.First) > 0 {
		own.First, own.Last = b.First[from:to], b.Last[from:to]
	}
	r.views, r.seen = r.views[:0], viewsOf(b, i)
	r.add(row, own)
	for _, v := range further(b, i) {
		r.add(row, v)
	}
	return r.views
}

// further are the views of a row of a batch but the first.
func further(b archive.Batch, i int) []archive.View {
	if b.Views == nil || len(b.Views[i]) < 2 {
		return nil
	}
	return b.Views[i][1:]
}

func (r *reading) add(row *archive.Row, v archive.View) {
	n := len(r.views)
	if n == len(r.memory) {
		dims := r.model.Dims
		r.memory = append(r.memory, scoring.Clip{Mean: make([]float32, dims), First: make([]float32, dims), Last: make([]float32, dims)})
	}
	own := r.memory[n]
	topics.ReadFloat16(own.Mean, v.Mean)
	if len(v.First) == 0 {
		own.First, own.Last = nil, nil
	} else {
		topics.ReadFloat16(own.First, v.First)
		topics.ReadFloat16(own.Last, v.Last)
	}
	r.views = append(r.views, scoring.View{Clip: own, Logit: r.model.logit(row, v.Logit)})
}

// logit is a clip's sum over the reference texts as it was recorded; NaN if it was not,
// or over other texts than the model's.
func (m *Model) logit(row *archive.Row, recorded float64) float64 {
	if row.References.Hash != m.References {
		return math.NaN()
	}
	return recorded
}

// places are where a clip's views are, for a recognition that is made of them; none of a
// clip that names none.
func places(b archive.Batch, i int) (out []topics.SeenView) {
	if b.Views == nil {
		return nil
	}
	for _, v := range b.Views[i] {
		out = append(out, topics.SeenView{View: v.View, Box: v.Box, Zone: v.Zone})
	}
	return out
}
