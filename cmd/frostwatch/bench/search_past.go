package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// past is an archive of random embeddings, and what it is searched for.
type past struct {
	reader  *archive.Reader
	files   []string
	fileMB  float64
	clips   int
	words   *calibrate.Words
	text    []float32 // of words
	vectors []float32 // of all clips, as the archive has them
	highest float32   // so that no loop is left out as useless
}

const (
	pastDims       = 512    // of FROSTER's embeddings
	pastPartitions = 4      // that the archive has
	pastSegment    = 4096   // clips in a file
	pastAnHour     = 12_400 // clips of a partition: 100 cameras on twelve
	pastReferences = 300
	pastTooClose   = 3 // of these are too close to the text, as for a usual one
	pastScale      = 100
)

// makePast fills a bucket with segments of each partition.
func makePast(ctx context.Context, bucket *archive.Bucket, segments int) (*past, error) {
	random := rand.New(rand.NewPCG(1, 1))
	texts, err := newPastTexts(random)
	if err != nil {
		return nil, err
	}
	p := &past{clips: pastPartitions * segments * pastSegment, text: texts.text}
	model := calibrate.Model{ID: "bench", Dims: pastDims, Scale: pastScale, References: texts.refs.Hash()}
	if p.words, err = calibrate.NewWords(ctx, pastEmbedder{texts}, model, []vocab.Label{{Name: "someone leaves a bag"}}); err != nil {
		return nil, err
	}
	begun := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for partition := range pastPartitions {
		records := make([]archive.Record[topics.Recognition], 0, segments*pastSegment)
		for i := range segments * pastSegment {
			camera := fmt.Sprintf("cam-%d-%d", partition, i%8)
			r := texts.recognition(random, camera, begun, begun.Add(time.Duration(i)*time.Hour/pastAnHour))
			r.Sequence = uint64(i / 8)
			p.vectors = append(p.vectors, r.Embedding...)
			records = append(records, archive.Record[topics.Recognition]{Value: r, Time: r.End})
		}
		if _, err := bucket.Import(ctx, partition, 0, records); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// pastTexts embeds the text and the reference texts.
type pastTexts struct {
	refs *scoring.References
	text []float32
}

func newPastTexts(random *rand.Rand) (*pastTexts, error) {
	// Reference texts are closer to each other than to the text, but for some.
	t, scene := &pastTexts{text: randomUnit(random, nil)}, randomUnit(random, nil)
	var texts []string
	vectors := map[string][]float32{}
	for i := range pastReferences {
		name, near := fmt.Sprintf("everyday scene %d", i), scene
		if i < pastTooClose {
			near = t.text
		}
		texts, vectors[name] = append(texts, name), randomUnit(random, near)
	}
	var err error
	if t.refs, err = scoring.NewReferences(texts, vectors); err != nil {
		return nil, err
	}
	w, err := scoring.NewWord([][]float32{t.text}, t.refs)
	if err == nil && len(w.Close()) != pastTooClose {
		err = fmt.Errorf("%d reference texts are too close to the text, want %d", len(w.Close()), pastTooClose)
	}
	return t, err
}

// randomUnit is a random vector of length 1, or one that is as close to another as
// texts are that say about the same.
func randomUnit(random *rand.Rand, near []float32) []float32 {
	v, sum := make([]float32, pastDims), 0.0
	for i := range v {
		x := random.NormFloat64()
		if near != nil {
			x = .5*x/math.Sqrt(pastDims) + float64(near[i])
		}
		v[i] = float32(x)
		sum += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func (t *pastTexts) recognition(random *rand.Rand, camera string, epoch, start time.Time) topics.Recognition {
	r := topics.Recognition{
		ClipID: topics.ClipID(camera, epoch, start.Sub(epoch)), Camera: camera, Epoch: epoch, Start: start, End: start.Add(4267 * time.Millisecond),
		Embedding: topics.RoundFloat16(randomUnit(random, nil)), First: randomUnit(random, nil), Last: randomUnit(random, nil),
		Model: "bench", LogitScale: pastScale, Vocab: topics.VocabRef{Name: "default", Version: "v1"},
	}
	r.References = &topics.References{Hash: t.refs.Hash(), Logit: t.refs.Logit(r.Embedding, pastScale)}
	for i := range 10 {
		r.Labels = append(r.Labels, topics.LabelScore{
			Label: fmt.Sprintf("person doing thing %d", i), Similarity: float64(random.Float32()), Score: random.Float64() / 10, Contrast: random.Float64(), Tags: []string{"care"},
		})
	}
	return r
}

// pastEmbedder gives the vectors that an infer worker would.
type pastEmbedder struct{ *pastTexts }

// Of returns the text's vector for each text.
func (e pastEmbedder) Of(_ context.Context, texts []string) (map[string][]float32, map[string]error, error) {
	out := map[string][]float32{}
	for _, t := range texts {
		out[t] = e.text
	}
	return out, nil, nil
}

// References returns the reference texts, whatever the hash.
func (e pastEmbedder) References(context.Context, string) (*scoring.References, error) {
	return e.refs, nil
}
