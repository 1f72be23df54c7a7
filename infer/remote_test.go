package infer

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// liveRecogniser is a model with a vocabulary in Redis, as in production.
func liveRecogniser(t *testing.T, s *redistest.Server, m *froster.Model) (Recogniser, *scoring.Live) {
	t.Helper()
	log, meter := (&stagetest.Log{}).Logger(), noop.NewMeterProvider().Meter("")
	watcher, err := vocab.NewWatchers(vocab.WatcherOptions{Client: s.Client, Name: "default", Poll: 50 * time.Millisecond, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: s.Client, Embedder: m, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	live, err := scoring.NewLive(scoring.LiveOptions{Vocabularies: watcher, Embeddings: embeddings, BaseClasses: m.Bundle().BaseClasses, Logger: log, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watcher.Run(ctx) })
	g.Go(func() error { return live.Run(ctx) })
	d := m.Bundle().Dims
	return Recogniser{Model: m, Vocabulary: live, Frames: d.Frames, Side: d.ImageSize, Close: func() error {
		stop()
		return g.Wait()
	}}, live
}

// flood fills the list of wanted texts with hostile entries.
func flood(t *testing.T, s *redistest.Server, key string) {
	t.Helper()
	const never = 1e15 // expires in the distant future
	texts := []redis.Z{{Score: never, Member: "\x00\xff\xfe"}, {Score: never, Member: strings.Repeat("x", 16<<20)}, {Score: 1, Member: "expired"}}
	for i := range 100_000 {
		texts = append(texts, redis.Z{Score: never, Member: fmt.Sprintf("hostile %d", i)})
	}
	if err := s.Client.ZAdd(t.Context(), key, texts...).Err(); err != nil {
		t.Fatal(err)
	}
}

// A process without the model gets the very vectors of the model from an infer
// that recognises clips, whatever else is on the list, and neither the clips nor
// an edit of the vocabulary suffer. Without that infer it gets an error.
func TestTextsForProcessesWithoutTheModel(t *testing.T) {
	t.Parallel()
	r, s, ctx := newRig(t, 1), redistest.Start(t), t.Context()
	s.HSet(t, "vocab:default", "falling down", "", "walking", "")
	model := demoModel(t)
	serving, live := liveRecogniser(t, s, model)
	flood(t, s, "wanted:"+model.ID())
	_, stop := start(t, r.options(serving))
	const clips = 40
	frame := jpegOf(t, 48, 32, color.White)
	for n := range clips {
		r.send("a", clipOf(t, "a", n, frame, time.Now()))
	}
	remote, err := scoring.NewRemote(scoring.RemoteOptions{Client: s.Client, Model: model.ID(), Dim: model.Dim()})
	if err != nil {
		t.Fatal(err)
	}
	<-live.Ready()
	began := time.Now()
	asked := []string{"a dog on a sofa", "person waving", "no words of English: 人が倒れる", strings.Repeat("very long ", 100)}
	vectors, refused, err := remote.Of(ctx, asked)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d texts came after %v", len(vectors), time.Since(began).Round(time.Millisecond))
	if why := refused[asked[3]]; len(refused) != 1 || why == nil || !strings.Contains(why.Error(), "the model reads at most 77") {
		t.Errorf("refused are %v", refused)
	}
	want, _, err := model.EmbedLabels(ctx, asked[:3])
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range asked[:3] {
		if got := vectors[text]; !(cosine(got, want[i]) > 1-1e-6) {
			t.Errorf("%q: the vector of %d numbers is another than the model's", text, len(got))
		}
	}
	began = time.Now()
	s.HSet(t, "vocab:default", "hugging", "")
	stagetest.Await(t, "the edit", func() bool { return live.Current().Len() == 3 })
	t.Logf("an edit was in force after %v", time.Since(began).Round(time.Millisecond))
	stagetest.Await(t, "the recognitions", func() bool { return len(r.read(topics.Actions)) == clips })
	stagetest.Await(t, "the list to be worked off", func() bool { return s.Client.Exists(ctx, "wanted:"+model.ID()).Val() == 0 })
	// Of the hostile texts at most 256, the bound of the list, are embedded.
	if n := s.Client.HLen(ctx, "embed:"+model.ID()).Val(); n > 256+int64(len(asked))+int64(len(model.Bundle().BaseClasses))+3 {
		t.Errorf("%d texts were embedded", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	r.wantEach(map[string]int{"a": clips})
	if vectors, _, err := remote.Of(ctx, asked[:1]); err != nil || len(vectors) != 1 {
		t.Errorf("without infer a cached text gives %d vectors, %v", len(vectors), err)
	}
	began = time.Now()
	_, _, err = remote.Of(ctx, []string{"never embedded"})
	if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "no running infer has model") || took < 10*time.Second {
		t.Errorf("without infer after %v: %v", took, err)
	}
	if left := s.Client.PTTL(ctx, "wanted:"+model.ID()).Val(); left <= 0 || left > time.Minute {
		t.Errorf("the list stays for %v", left)
	}
}

func cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
