package calibrate

import (
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// reading takes clips out of the batches of a scan. Its memory is used again for the
// next one.
type reading struct{ mean, first, last []float32 }

func newReading(dims int) *reading {
	return &reading{make([]float32, dims), make([]float32, dims), make([]float32, dims)}
}

// of is row i of a batch, valid until the next call. Its first and last frames are
// those that the batch has.
func (r *reading) of(b archive.Batch, i int) scoring.Clip {
	at := 2 * b.Dims * i
	topics.ReadFloat16(r.mean, b.Embeddings[at:])
	out := scoring.Clip{Mean: r.mean}
	if len(b.First) > 0 {
		topics.ReadFloat16(r.first, b.First[at:])
		topics.ReadFloat16(r.last, b.Last[at:])
		out.First, out.Last = r.first, r.last
	}
	return out
}
