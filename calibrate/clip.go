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
}

func newReading(m Model) *reading { return &reading{model: m} }

// of are the views of row i of a batch, valid until the next call: one of a clip that
// names none. First and last frames are those that the batch has.
func (r *reading) of(b archive.Batch, i int) []scoring.View {
	from, to := 2*b.Dims*i, 2*b.Dims*(i+1)
	row := &b.Rows[i]
	own := archive.View{Logit: row.References.Logit, Mean: b.Embeddings[from:to]}
	if len(b.First) > 0 {
		own.First, own.Last = b.First[from:to], b.Last[from:to]
	}
	r.views = r.views[:0]
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
		out = append(out, topics.SeenView{View: v.View, Box: v.Box})
	}
	return out
}
