package calibrate

import (
	"math"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// Seen is what each of the words has in a recognition, in the best of the views of the whole
// picture. Its embeddings have to be of the words' model.
func (w *Words) Seen(rec *topics.Recognition) []scoring.Seen {
	logit := func(recorded float64) float64 {
		if rec.References == nil || rec.References.Hash != w.model.References {
			return math.NaN()
		}
		return recorded
	}
	own := scoring.View{Clip: scoring.Clip{Mean: rec.Embedding, First: rec.First, Last: rec.Last}, Logit: math.NaN()}
	if rec.References != nil {
		own.Logit = logit(rec.References.Logit)
	}
	views := []scoring.View{own}
	for _, v := range rec.Views[min(1, len(rec.Views)):] {
		if v.Zone == nil {
			views = append(views, scoring.View{Clip: scoring.Clip{Mean: v.Embedding, First: v.First, Last: v.Last}, Logit: logit(v.Logit)})
		}
	}
	out := make([]scoring.Seen, len(w.list))
	for i := range w.list {
		out[i] = w.values(i, views, rec.LogitScale)
	}
	return out
}
