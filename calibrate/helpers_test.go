package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

const (
	stride = 2 * time.Second
	dims   = 16
)

// recorded is a past in memory: recognitions and alerts by partition, in order.
type recorded struct {
	actions map[int][]archive.Record[topics.Recognition]
	alerts  []archive.Record[topics.Alert]
	order   []int // in which partitions are read; nil: ascending
}

func (r *recorded) partitions() []int {
	if r.order != nil {
		return r.order
	}
	var all []int
	for p := range r.actions {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

func within(g archive.Range, camera string, at time.Time) bool {
	match := len(g.Cameras) == 0
	for _, glob := range g.Cameras {
		ok, _ := path.Match(glob, camera)
		match = match || ok
	}
	return match && !at.Before(g.Since) && (g.Until.IsZero() || at.Before(g.Until))
}

func (r *recorded) Actions(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Recognition]) error) (c archive.Counts, err error) {
	for _, p := range r.partitions() {
		for _, rec := range r.actions[p] {
			if !within(g, rec.Value.Camera, rec.Value.End) {
				continue
			}
			c.Given++
			rec.Value.Labels = slices.Clone(rec.Value.Labels)
			if err := fn(rec); errors.Is(err, archive.ErrStop) {
				return c, nil
			} else if err != nil {
				return c, err
			}
		}
	}
	return c, ctx.Err()
}

// Labels passes on each recognition in a batch of its own.
func (r *recorded) Labels(ctx context.Context, g archive.Range, fn func(archive.Labelled) error) (archive.Counts, error) {
	return r.Actions(ctx, g, func(rec archive.Record[topics.Recognition]) error {
		return fn(archive.Labelled{Partition: rec.At.Partition, Records: []archive.Record[topics.Recognition]{rec}})
	})
}

func (r *recorded) Alerts(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Alert]) error) (c archive.Counts, err error) {
	for _, rec := range r.alerts {
		if within(g, rec.Value.Camera, rec.Value.At) {
			c.Given++
			if err := fn(rec); err != nil {
				return c, err
			}
		}
	}
	return c, ctx.Err()
}

func (r *recorded) Scan(ctx context.Context, g archive.Range, fn func(archive.Batch) error) (c archive.Counts, err error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, p := range r.partitions() {
		group.Add(1)
		go func() {
			defer group.Done()
			if failed := r.scan(p, g, fn); failed != nil && !errors.Is(failed, archive.ErrStop) {
				mu.Lock()
				err = failed
				mu.Unlock()
			}
		}()
	}
	group.Wait()
	return c, errors.Join(err, ctx.Err())
}

// scan passes on the rows of a partition, seven in a batch.
func (r *recorded) scan(p int, g archive.Range, fn func(archive.Batch) error) error {
	b := archive.Batch{Partition: p}
	for _, rec := range r.actions[p] {
		v := rec.Value
		if len(v.Embedding) == 0 || !within(g, v.Camera, v.End) {
			continue
		}
		if len(b.Rows) == 7 || len(b.Rows) > 0 && b.Dims != len(v.Embedding) {
			if err := fn(b); err != nil {
				return err
			}
			b = archive.Batch{Partition: p}
		}
		row := archive.Row{Camera: v.Camera, Epoch: v.Epoch, Sequence: v.Sequence, Start: v.Start, End: v.End, Model: v.Model, LogitScale: v.LogitScale, Offset: rec.At.Offset, Time: rec.Time}
		if v.References != nil {
			row.References = *v.References
		}
		b.Dims, b.Embeddings, b.Rows = len(v.Embedding), topics.AppendFloat16(b.Embeddings, v.Embedding), append(b.Rows, row)
	}
	if len(b.Rows) == 0 {
		return nil
	}
	return fn(b)
}

// add records a clip: number i of an unbroken stream of a camera.
func (r *recorded) add(partition int, camera string, i int, change func(*topics.Recognition)) topics.Recognition {
	if r.actions == nil {
		r.actions = map[int][]archive.Record[topics.Recognition]{}
	}
	start := t0.Add(time.Duration(i) * stride)
	rec := topics.Recognition{
		ClipID: topics.ClipID(camera, t0, start.Sub(t0)), Camera: camera, Epoch: t0, Sequence: uint64(i),
		Start: start, End: start.Add(4 * time.Second), Model: "m", LogitScale: 10, Vocab: topics.VocabRef{Name: "default", Version: "v"},
	}
	if change != nil {
		change(&rec)
	}
	at := topics.RecordRef{Topic: "actions", Partition: partition, Offset: int64(len(r.actions[partition]))}
	r.actions[partition] = append(r.actions[partition], archive.Record[topics.Recognition]{Value: rec, At: at, Time: rec.End.Add(time.Second)})
	return rec
}

// labelled gives a clip one label.
func labelled(label string, score float64) func(*topics.Recognition) {
	return func(r *topics.Recognition) { r.Labels = []topics.LabelScore{{Label: label, Score: score}} }
}

func ruleSet(t testing.TB, rules ...alerts.Rule) *alerts.RuleSet {
	t.Helper()
	set, err := alerts.NewRuleSet(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// vectors embeds every text by the same random numbers each time, as a model does.
type vectors struct{ references *scoring.References }

func vectorOf(text string) []float32 {
	seed := uint64(0)
	for _, b := range []byte(text) {
		seed = seed*131 + uint64(b)
	}
	random := rand.New(rand.NewPCG(seed, 7))
	v := make([]float32, dims)
	var sum float64
	for i := range v {
		v[i] = float32(random.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v
}

func (vectors) Of(_ context.Context, texts []string) (map[string][]float32, map[string]error, error) {
	out := map[string][]float32{}
	for _, t := range texts {
		out[t] = vectorOf(t)
	}
	return out, nil, nil
}

func (v vectors) References(_ context.Context, hash string) (*scoring.References, error) {
	if v.references == nil || v.references.Hash() != hash {
		return nil, fmt.Errorf("no references %q", hash)
	}
	return v.references, nil
}

func everyday() (texts []string) {
	for i := range 12 {
		texts = append(texts, fmt.Sprintf("everyday scene %d", i))
	}
	return texts
}

// someReferences are those that tests take contrasts against.
func someReferences(t testing.TB) *scoring.References {
	t.Helper()
	texts, of := everyday(), map[string][]float32{}
	for _, text := range texts {
		of[text] = vectorOf(text)
	}
	r, err := scoring.NewReferences(texts, of)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// looksLike gives a clip the embedding of a text with some noise, and, unless they
// are nil, what is recorded of references.
func looksLike(text string, noise float64, seed int, refs *scoring.References) func(*topics.Recognition) {
	return func(r *topics.Recognition) {
		random := rand.New(rand.NewPCG(uint64(seed), 3))
		v := vectorOf(text)
		for i := range v {
			v[i] += float32(noise * random.NormFloat64())
		}
		length := norm(v)
		for i := range v {
			v[i] = float32(float64(v[i]) / length)
		}
		r.Embedding = topics.Float16s(topics.AppendFloat16(nil, v))
		if refs != nil {
			r.References = &topics.References{Hash: refs.Hash(), Logit: refs.Logit(r.Embedding, float32(r.LogitScale))}
		}
	}
}
