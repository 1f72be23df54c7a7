//go:build !race

package demo_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// quietDays is a past in which every camera has shown films without an event, one
// after the other, up to t0.
type quietDays struct {
	cameras map[string][]topics.Recognition
}

// quietFilms show what goes on when nothing is staged.
var quietFilms = []string{"office_sit", "warehouse_box", "yard_beside_fence", "yard_empty"}

// quietPast adds a little noise to the films' embeddings, since no two clips of a real
// camera are alike.
func quietPast(films map[string][]topics.Recognition, words *live) quietDays {
	var loop, all []topics.Recognition
	for _, film := range quietFilms {
		loop = append(loop, films[film]...)
	}
	const length = 3 * time.Hour
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func(v []float32) []float32 {
		out := slices.Clone(v)
		for i := range out {
			out[i] += float32(0.02 * random.NormFloat64())
		}
		return topics.RoundFloat16(out)
	}
	stride := loop[1].Start.Sub(loop[0].Start)
	for at, i := t0.Add(-length), 0; at.Before(t0.Add(-2 * stride)); at, i = at.Add(stride), i+1 {
		r := loop[i%len(loop)]
		r.Embedding, r.First, r.Last = noisy(r.Embedding), noisy(r.First), noisy(r.Last)
		r.Epoch, r.Sequence, r.Start, r.End = t0.Add(-length), uint64(i), at, at.Add(r.End.Sub(r.Start))
		all = append(all, r)
	}
	all = words.score(all, nil)
	out := quietDays{map[string][]topics.Recognition{}}
	for camera := range films {
		own := slices.Clone(all)
		for i := range own {
			own[i].Camera, own[i].ClipID = camera, topics.ClipID(camera, own[i].Epoch, own[i].Start.Sub(own[i].Epoch))
		}
		out.cameras[camera] = own
	}
	return out
}

// Actions, Labels and Alerts are not asked by the dial for rules that name labels.
func (quietDays) Actions(context.Context, archive.Range, func(archive.Record[topics.Recognition]) error) (archive.Counts, error) {
	return archive.Counts{}, nil
}

func (quietDays) Labels(context.Context, archive.Range, func(archive.Labelled) error) (archive.Counts, error) {
	return archive.Counts{}, nil
}

func (quietDays) Alerts(context.Context, archive.Range, func(archive.Record[topics.Alert]) error) (archive.Counts, error) {
	return archive.Counts{}, nil
}

// Scan passes on each camera as a partition.
func (q quietDays) Scan(_ context.Context, g archive.Range, fn func(archive.Batch) error) (archive.Counts, error) {
	partition := 0
	for camera, all := range q.cameras {
		if len(g.Cameras) > 0 && !slices.Contains(g.Cameras, camera) {
			continue
		}
		b := archive.Batch{Partition: partition}
		for i, r := range all {
			b.Dims = len(r.Embedding)
			b.Embeddings = topics.AppendFloat16(b.Embeddings, r.Embedding)
			if g.Ends {
				b.First, b.Last = topics.AppendFloat16(b.First, r.First), topics.AppendFloat16(b.Last, r.Last)
			}
			b.Rows = append(b.Rows, archive.Row{
				Camera: camera, Epoch: r.Epoch, Sequence: r.Sequence, Start: r.Start, End: r.End, Model: r.Model,
				LogitScale: r.LogitScale, References: *r.References, Offset: int64(i), Time: r.End,
			})
		}
		if err := fn(b); err != nil {
			return archive.Counts{}, err
		}
		partition++
	}
	return archive.Counts{}, nil
}
