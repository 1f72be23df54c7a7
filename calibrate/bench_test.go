package calibrate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/alerts"
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

const (
	replayedCameras    = 20
	replayedPartitions = 4
)

// benchArchive writes so many recognitions of 20 cameras into four partitions: eleven
// labels of thirty, the best first, and now and then something happens.
func benchArchive(tb testing.TB, dir string, clips int) {
	tb.Helper()
	bucket, err := archive.OpenBucket(tb.Context(), dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	random := rand.New(rand.NewPCG(3, 3))
	var vectors []topics.Float16Vector
	for range 64 {
		vectors = append(vectors, topics.RoundFloat16(unit(random, benchDims)))
	}
	for p := range replayedPartitions {
		var records []archive.Record[topics.Recognition]
		for i := range clips / replayedPartitions {
			const each = replayedCameras / replayedPartitions
			records = append(records, benchRecognition(random, fmt.Sprintf("cam-%d", p*each+i%each), i/each, vectors))
			if len(records) == 65_536 || i == clips/replayedPartitions-1 {
				if _, err := bucket.Import(tb.Context(), p, int64(i+1-len(records)), records); err != nil {
					tb.Fatal(err)
				}
				records = records[:0]
			}
		}
	}
}

func benchRecognition(random *rand.Rand, camera string, i int, vectors []topics.Float16Vector) archive.Record[topics.Recognition] {
	start := t0.Add(time.Duration(i) * 2419 * time.Millisecond)
	r := topics.Recognition{
		ClipID: topics.ClipID(camera, t0, start.Sub(t0)), Camera: camera, Tags: []string{"indoor"}, Epoch: t0, Sequence: uint64(i), Start: start, End: start.Add(4267 * time.Millisecond),
		Embedding: vectors[random.IntN(64)], First: vectors[random.IntN(64)], Last: vectors[random.IntN(64)], Model: "m", LogitScale: 100,
		References: &topics.References{Hash: "r", Logit: 20 + random.Float64()}, Vocab: topics.VocabRef{Name: "default", Version: "v1"},
	}
	sum := 0.0
	for l := range 30 {
		similar := float32(.15 + .02*random.NormFloat64())
		if random.IntN(3000) == 0 || l == i/20%30 && i%400 < 6 {
			similar += .12
		}
		sum += math.Exp(100 * float64(similar))
		r.Labels = append(r.Labels, topics.LabelScore{
			Label: fmt.Sprintf("person doing thing %d", l), Similarity: float64(similar), Contrast: logistic(100*float64(similar) - r.References.Logit - 3),
			Tags: []string{"care", "indoor"}[:l%3], Novel: l%2 == 0, NearestBase: fmt.Sprintf("doing thing %d", l), NearestSimilarity: float64(l) / 31,
		})
	}
	for l := range r.Labels {
		r.Labels[l].Score = math.Exp(100*r.Labels[l].Similarity) / sum
	}
	slices.SortFunc(r.Labels, func(a, b topics.LabelScore) int { return cmp.Compare(b.Score, a.Score) })
	// Ten at the top, and those that the rules name.
	named := 0
	r.Labels = slices.DeleteFunc(r.Labels, func(l topics.LabelScore) bool {
		named++
		return named > 10 && !slices.Contains(benchNamed(), l.Label)
	})
	return archive.Record[topics.Recognition]{Value: r, Time: r.End.Add(time.Second)}
}

func benchNamed() (out []string) {
	for i := range 5 {
		out = append(out, fmt.Sprintf("person doing thing %d", i))
	}
	return out
}

func benchRules(tb testing.TB) *alerts.RuleSet {
	tb.Helper()
	named := benchNamed()
	set, err := alerts.NewRuleSet(
		alerts.Rule{Name: "fall", Actions: named[:1], Clips: alerts.ClipsRule{N: 2, M: 3}, Cooldown: 2 * time.Minute},
		alerts.Rule{Name: "fight", Actions: named[1:3], Clips: alerts.ClipsRule{N: 2, M: 3}, Severity: "critical"},
		alerts.Rule{Name: "fence", Actions: named[3:4], Clips: alerts.ClipsRule{N: 3, M: 5}},
		alerts.Rule{Name: "ladder", Actions: named[4:], Score: &alerts.Levels{Raise: .6, Clear: .4}},
		alerts.Rule{Name: "night", Actions: named[:2], Schedule: &alerts.Schedule{Days: "mon-fri", From: "22:00", To: "06:00", Timezone: "Europe/Berlin"}},
		alerts.Rule{Name: "care", Tags: []string{"care"}, Clips: alerts.ClipsRule{N: 4, M: 8}, Contrast: &alerts.Levels{Raise: .9}},
		alerts.Rule{Name: "away", Cameras: []string{"door-*"}, Actions: named[1:2]},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// One core replays seven rules, six of which are for each camera, over an archive.
func BenchmarkReplay(b *testing.B) {
	const clips = 131_072
	dir := b.TempDir()
	benchArchive(b, dir, clips)
	bucket, err := archive.OpenBucket(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	past, err := archive.NewReader(archive.ReaderOptions{Bucket: bucket, Parallel: 1})
	if err != nil {
		b.Fatal(err)
	}
	raised := 0
	busy := -cpu(b)
	for b.Loop() {
		got, err := Replay(b.Context(), ReplayOptions{Past: past, Rules: benchRules(b)})
		if err != nil || got.Recognitions != clips {
			b.Fatalf("%+v, %v", got, err)
		}
		raised = len(got.Alerts)
	}
	busy += cpu(b)
	b.ReportMetric(float64(clips*b.N)/busy.Seconds(), "recognitions/cpu-s")
	b.ReportMetric(float64(raised), "alerts")
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
