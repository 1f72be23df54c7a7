package calibrate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// batches is a past of one partition in memory, as the archive's scan gives it:
// embeddings of 512 by eight cameras.
type batches struct {
	recorded
	rows []archive.Row
	raw  []byte
}

const (
	benchDims    = 512
	benchClips   = 131_072 // 134 MB: more than the processor's caches
	benchPerScan = 4096
)

func unit(random *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(random.NormFloat64())
	}
	length := norm(v)
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return v
}

func benchPast() *batches {
	random := rand.New(rand.NewPCG(1, 1))
	b := &batches{}
	for i := range benchClips {
		start := t0.Add(time.Duration(i/8) * 2419 * time.Millisecond)
		b.rows = append(b.rows, archive.Row{
			Camera: fmt.Sprintf("cam-%d", i%8), Epoch: t0, Sequence: uint64(i / 8), Start: start, End: start.Add(4267 * time.Millisecond),
			Model: "m", LogitScale: 100, References: topics.References{Hash: "r", Logit: 20 + random.Float64()}, Offset: int64(i), Time: start,
		})
		b.raw = topics.AppendFloat16(b.raw, unit(random, benchDims))
	}
	return b
}

// Scan passes all of it on, whatever is asked.
func (b *batches) Scan(_ context.Context, _ archive.Range, fn func(archive.Batch) error) (archive.Counts, error) {
	for from := 0; from < len(b.rows); from += benchPerScan {
		to := min(from+benchPerScan, len(b.rows))
		if err := fn(archive.Batch{Dims: benchDims, Rows: b.rows[from:to], Embeddings: b.raw[2*benchDims*from : 2*benchDims*to]}); err != nil {
			return archive.Counts{}, err
		}
	}
	return archive.Counts{}, nil
}

// One core compares recordings with a word whose reference texts that are too close
// are three, as they are for a usual one, beside the plain loop over the same bytes, and reading them
// alone.
func BenchmarkSearch(b *testing.B) {
	past := benchPast()
	random := rand.New(rand.NewPCG(2, 2))
	text := unit(random, benchDims)
	word := func(tooClose int) *Words {
		all := map[string][]float32{}
		var texts []string
		for i := range 300 {
			t := fmt.Sprint("r", i)
			texts, all[t] = append(texts, t), unit(random, benchDims)
			if i < tooClose {
				all[t] = text
			}
		}
		refs, err := scoring.NewReferences(texts, all)
		if err != nil {
			b.Fatal(err)
		}
		w, err := scoring.NewWord([][]float32{text}, refs)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%d reference texts are too close", len(w.Close()))
		return &Words{model: Model{ID: "m", Dims: benchDims, Scale: 100, References: "r"}, list: []word{{label: topics.LabelScore{Label: "w"}, Word: w}}}
	}
	search := func(w *Words, measure string) func() {
		return func() {
			got, err := Search(context.Background(), SearchOptions{Query: Query{Words: w}, Past: past, Measure: measure})
			if err != nil || got.Scored != benchClips {
				b.Fatal(err)
			}
		}
	}
	clip := make([]float32, benchDims)
	sum := 0.0
	each := func(do func(raw []byte)) func() {
		return func() {
			for i := range benchClips {
				do(past.raw[2*benchDims*i : 2*benchDims*(i+1)])
			}
		}
	}
	few := word(2)
	for _, way := range []struct {
		name string
		do   func()
	}{
		{"similarity", search(few, "similarity")},
		{"contrast", search(few, "contrast")},
		{"plain loop", each(func(raw []byte) {
			for i, v := range topics.Float16s(raw) {
				sum += float64(v * text[i])
			}
		})},
		{"read the embeddings", each(func(raw []byte) { topics.ReadFloat16(clip, raw); sum += float64(clip[0]) })},
	} {
		b.Run(way.name, func(b *testing.B) {
			busy := -cpu(b)
			for b.Loop() {
				way.do()
			}
			busy += cpu(b)
			b.ReportMetric(float64(benchClips*b.N)/b.Elapsed().Seconds(), "clips/s")
			b.ReportMetric(float64(benchClips*b.N)/busy.Seconds(), "clips/cpu-s")
		})
	}
	if math.IsNaN(sum) {
		b.Error(sum)
	}
}

// cpu is the processor time that the process has used: what is measured beside other
// work is comparable by it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
