package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const dims = 16

// model embeds every text by the same random numbers each time.
type model struct{}

func (model) ID() string { return "m" }
func (model) Dim() int   { return dims }
func (model) EmbedLabels(_ context.Context, texts []string) ([][]float32, []error, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = vectorOf(t)
	}
	return out, make([]error, len(texts)), nil
}

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
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// worded is a console whose cameras have shown something: the hall somebody who leaves a
// bag, the vault the same, but not for those who see the ward alone.
type worded struct {
	*reviewed
	epoch time.Time
}

func newWorded(t *testing.T) *worded {
	t.Helper()
	redis, quiet, meter := redistest.Start(t), slog.New(slog.DiscardHandler), noop.NewMeterProvider().Meter("t")
	store := vocab.NewStore(redis.Client, "f:")
	if err := store.Put(t.Context(), "default", vocab.Label{Name: "an empty hall", Background: true}, vocab.Label{Name: "falling down"}); err != nil {
		t.Fatal(err)
	}
	watchers, err := vocab.NewWatchers(vocab.WatcherOptions{Client: redis.Client, Prefix: "f:", Name: "default", Poll: 50 * time.Millisecond, Logger: quiet, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{Client: redis.Client, Prefix: "f:", Embedder: model{}, Logger: quiet, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	var everyday []string
	for i := range 12 {
		everyday = append(everyday, fmt.Sprintf("everyday scene %d", i))
	}
	live, err := scoring.NewLive(scoring.LiveOptions{Vocabularies: watchers, Embeddings: embeddings, References: everyday, Logger: quiet, Meter: meter})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var g errgroup.Group
	g.Go(func() error { return watchers.Run(ctx) })
	g.Go(func() error { return live.Run(ctx) })
	t.Cleanup(func() {
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-live.Ready():
	case <-time.After(time.Minute):
		t.Fatal("the vocabulary is not ready")
	}
	c := config.Default()
	c.Redis.Prefix = "f:"
	w := &worded{epoch: time.Now().UTC().Add(-time.Hour).Truncate(time.Minute)}
	w.reviewed = newReviewedAs(t, func(o *Options) { o.Redis, o.Config, o.Access = redis.Client, c, people() })
	for camera, tag := range map[string]string{"hall": "ward", "vault": "cellar"} {
		value, err := topics.EncodeCamera(topics.Camera{Name: camera, URL: "rtsp://127.0.0.1:1/" + camera, Tags: []string{tag}})
		w.put(topics.Cameras, camera, time.Now(), value, err)
		for n := range 40 {
			shows := "an empty hall"
			if n == 20 {
				shows = "leaves a bag"
			}
			w.record(camera, n, shows, live.Current())
		}
	}
	w.await("the cameras", func() bool { return len(w.wall.all(everyone)) == 2 })
	return w
}

func (w *worded) put(topic topics.Topic, key string, at time.Time, value []byte, err error) topics.RecordRef {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	sent, err := w.Bus.Send(w.t.Context(), bus.Message{Topic: w.Names.Of(topic), Key: []byte(key), Time: at, Value: value})
	if err != nil {
		w.t.Fatal(err)
	}
	return sent[0]
}

// record is a clip and what was recognised in it.
func (w *worded) record(camera string, n int, shows string, m *scoring.Matrix) {
	w.t.Helper()
	epoch := w.epoch
	start := epoch.Add(time.Duration(n) * 2 * time.Second)
	id := topics.ClipID(camera, epoch, start.Sub(epoch))
	clip := pictured(w.t.(*testing.T), camera, id)
	clip.Epoch, clip.Start, clip.Window = epoch, start.Sub(epoch), 4*time.Second
	for i := range clip.Frames {
		clip.Frames[i].Captured = start.Add(time.Duration(i) * 500 * time.Millisecond)
	}
	value, err := topics.EncodeClip(clip)
	at := w.put(topics.Clips, camera, start.Add(5*time.Second), value, err)
	r := topics.Recognition{
		ClipID: id, Camera: camera, Epoch: epoch, Sequence: uint64(n), Start: start, End: start.Add(4 * time.Second), Clip: at, Model: "m", LogitScale: 10,
		Vocab: topics.VocabRef{Name: "default", Version: "v"}, Embedding: topics.RoundFloat16(vectorOf(shows)),
	}
	scored := m.ScoreViews([]scoring.Clip{{Mean: r.Embedding}}, float32(r.LogitScale), 5, scoring.NewWatched(nil, nil, false))
	r.Labels, r.Background, r.References = scored.Labels, scored.Background, scored.References
	value, err = topics.EncodeRecognition(r)
	w.put(topics.Actions, camera, start.Add(5*time.Second), value, err)
}

// as calls the API as somebody who has a token.
func (w *worded) as(who, method, path, body string, out any) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+who+secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil || a.StatusCode != http.StatusOK {
			w.t.Fatalf("%s %s: %d, %v: %.400s", method, path, a.StatusCode, err, b)
		}
	}
	return a.StatusCode, string(b)
}

func TestWords(t *testing.T) {
	w := newWorded(t)
	t.Run("are edited", func(t *testing.T) { wordsAreEdited(t, w) })
	t.Run("are tried", func(t *testing.T) { wordsAreTried(t, w) })
	t.Run("are searched for", func(t *testing.T) { wordsAreSearched(t, w) })
	t.Run("are watched for", func(t *testing.T) { wordsAreWatched(t, w) })
	t.Run("are hostile", func(t *testing.T) { wordsAreHostile(t, w) })
}

func wordsAreEdited(t *testing.T, w *worded) {
	var first, now Words
	w.as("viewer", "GET", "/words", "", &first)
	if len(first.Words) != 2 || first.Words[1].Label != "falling down" || first.Words[1].ChangedBy != "frostwatch" || first.Cameras != 2 || len(first.InForce) != 1 {
		t.Errorf("%+v", first)
	}
	var done EditedWords
	w.as("operator", "POST", "/words", `{"label": "not running", "aliases": ["a run"], "tags": ["fast"], "was": ""}`, &done)
	if len(done.Changes) != 1 || done.Changes[0].After == nil || len(done.Advice) == 0 || !strings.Contains(done.Advice[0], "hardly taken into account") {
		t.Errorf("%+v", done)
	}
	w.as("viewer", "GET", "/words?text=fast", "", &now)
	if len(now.Words) != 1 || now.Words[0].Label != "not running" || now.Words[0].ChangedBy != "operator" || len(now.Words[0].Advice) == 0 {
		t.Errorf("%+v", now)
	}
	if status, text := w.as("operator", "POST", "/words", `{"label": "not running", "was": "somebody else's"}`, nil); status != http.StatusConflict {
		t.Errorf("an edit of what has changed meanwhile: %d %s", status, text)
	}
	if status, _ := w.as("limited", "POST", "/words", `{"label": "fire"}`, nil); status != http.StatusForbidden {
		t.Errorf("who sees the ward alone edits the words of all: %d", status)
	}
	var past History
	w.as("viewer", "GET", "/words/history?label=not+running", "", &past)
	if len(past.Edits) != 1 || past.Edits[0].By != "operator" || past.Edits[0].Note != "console" || past.Edits[0].Changes[0].Before != nil {
		t.Errorf("%+v", past)
	}
	w.as("operator", "POST", "/words/restore", `{"version": "`+first.Version+`"}`, &done)
	w.as("viewer", "GET", "/words", "", &now)
	if now.Version != first.Version || len(done.Changes) != 1 {
		t.Errorf("restored: %+v", done)
	}
	for body, want := range map[string]int{`{"labels": ["nothing"]}`: http.StatusNotFound, `{"labels": ["falling down", "an empty hall"]}`: http.StatusConflict} {
		if status, text := w.as("operator", "POST", "/words/remove", body, nil); status != want {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if w.log.Count("what=\"put word\"") == 0 {
		t.Error("the log has no line audit of the edit")
	}
}

func wordsAreTried(t *testing.T, w *worded) {
	var tried TriedWord
	w.as("viewer", "GET", "/words/try?label=leaves+a+bag", "", &tried)
	if tried.Known || tried.Alerts != 2 || len(tried.Cameras) != 2 || tried.Cameras[0].Keeps == nil || tried.Added != nil || len(tried.Closest) == 0 {
		t.Errorf("%+v", tried)
	}
	first := tried.Closest[0]
	for _, what := range []string{"strip", "loop"} {
		for _, at := range []string{"", "?at=" + first.At} {
			path := "/cameras/" + first.Camera + "/clips/" + first.Clip + "/" + what + at
			if status, body := w.as("viewer", "GET", path, "", nil); status != http.StatusOK || !strings.HasPrefix(body, "\xff\xd8") {
				t.Errorf("%s: %d %.100s", path, status, body)
			}
		}
	}
	// What is known of another camera's recording is not shown as this one's.
	if status, _ := w.as("viewer", "GET", "/cameras/hall/clips/hall-1-2/strip?at="+first.At, "", nil); status != http.StatusNotFound {
		t.Errorf("another clip's pictures: %d", status)
	}
	w.as("limited", "GET", "/words/try?label=leaves+a+bag", "", &tried)
	if len(tried.Cameras) != 1 || tried.Cameras[0].Camera != "hall" || tried.Alerts != 1 {
		t.Errorf("who sees the ward alone: %+v", tried)
	}
	// Another wording changes what a label of the vocabulary would raise.
	var other TriedWord
	w.as("viewer", "GET", "/words/try?plain=true&label=falling+down&alias=leaves+a+bag", "", &other)
	if !other.Known || other.Added == nil || *other.Added != 2 || *other.Lost != 0 {
		t.Errorf("%+v: %v added, %v lost", other, *other.Added, *other.Lost)
	}
}

func wordsAreSearched(t *testing.T, w *worded) {
	var found, like, none FoundClips
	w.as("viewer", "GET", "/search?text=leaves+a+bag&limit=2", "", &found)
	if len(found.Hits) != 2 || found.By != "contrast" || *found.Hits[0].Contrast < .5 || found.Scored != 80 {
		t.Errorf("%+v", found)
	}
	w.as("limited", "GET", "/search?text=leaves+a+bag", "", &found)
	for _, h := range found.Hits {
		if h.Camera != "hall" {
			t.Errorf("who sees the ward alone is shown %+v", h)
		}
	}
	clip := found.Hits[0].Clip
	w.as("limited", "GET", "/search?like=rule/"+clip, "", &like)
	if len(like.Hits) == 0 || like.Hits[0].Clip != clip || like.By != "similarity" {
		t.Errorf("%+v", like)
	}
	if status, text := w.as("limited", "GET", "/search?like="+strings.Replace(clip, "hall", "vault", 1), "", nil); status != http.StatusNotFound {
		t.Errorf("like a clip that is not seen: %d %s", status, text)
	}
	w.as("limited", "GET", "/search?text=a+bag&camera=vault", "", &none)
	w.as("viewer", "GET", "/search?text=a+bag&since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z", "", &found)
	if none.Note == "" || found.Note == "" {
		t.Errorf("nothing is recorded, but: %+v %+v", none, found)
	}
}

func wordsAreWatched(t *testing.T, w *worded) {
	const body = `{"label": "leaves a bag", "rule": "bag", "false_alarms": "1 per week", "cameras": ["ha*"]}`
	if status, _ := w.as("operator", "POST", "/words/watch", body, nil); status != http.StatusForbidden {
		t.Errorf("an operator writes a rule: %d", status)
	}
	var done Watching
	w.as("admin", "POST", "/words/watch", body, &done)
	if !done.Added || done.Watches != "watches 1 of 2 cameras: hall" || done.Without != "" {
		t.Errorf("%+v", done)
	}
	stored, err := alerts.NewStore(w.Redis, "f:").List(t.Context())
	if err != nil || len(stored.Rules) != 1 || stored.Rules[0].FalseAlarms.String() != "1 per week" || stored.Rules[0].Actions[0] != "leaves a bag" {
		t.Errorf("%+v, %v", stored, err)
	}
	if status, text := w.as("admin", "POST", "/words/watch", body, nil); status != http.StatusConflict {
		t.Errorf("a rule of this name: %d %s", status, text)
	}
	if status, text := w.as("admin", "POST", "/words/watch", `{"label": "fire", "rule": "fire", "false_alarms": "sometimes"}`, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("no budget: %d %s", status, text)
	}
	set, err := alerts.NewRuleSet(stored.Rules...)
	if err != nil {
		t.Fatal(err)
	}
	w.SetRules(set)
	var all Words
	w.as("limited", "GET", "/words?text=bag", "", &all)
	if len(all.Words) != 1 || all.Words[0].Watched != 1 || len(all.Words[0].Rules) != 1 {
		t.Errorf("%+v", all)
	}
}

func wordsAreHostile(t *testing.T, w *worded) {
	for _, text := range []string{strings.Repeat("x", 10_000), strings.Repeat("x ", 120), "a\x00b", "a\nb", "", "   ", "\u202etxet", "\xff\xfe"} {
		for _, path := range []string{"/search?text=", "/words/try?label="} {
			if status, body := w.as("viewer", "GET", path+url.QueryEscape(text), "", nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
				t.Errorf("%s%.20q: %d %.200s", path, text, status, body)
			}
		}
	}
	var found FoundClips
	w.as("viewer", "GET", "/search?text="+url.QueryEscape("שלום עולם"), "", &found)
	var asks sync.WaitGroup
	for n := range 50 {
		asks.Go(func() {
			if status, body := w.as("viewer", "GET", fmt.Sprintf("/search?text=word+%d", n), "", nil); status != http.StatusOK && status != http.StatusTooManyRequests {
				t.Errorf("one of fifty: %d %.200s", status, body)
			}
		})
	}
	asks.Wait()
	w.as("viewer", "GET", "/search?text=leaves+a+bag", "", &found)
	if len(w.asking.turn)+len(w.asking.waits) != 0 {
		t.Error("a question is still counted")
	}
}

// Whoever leaves takes their question with them.
func TestAQuestionEndsWithItsAsker(t *testing.T) {
	a := newAsking()
	var done []func()
	for range askingAtOnce {
		_, end, err := a.ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, end)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, _, err := a.ask(ctx); err == nil || len(a.waits) != askingAtOnce {
		t.Errorf("%v, %d wait", err, len(a.waits))
	}
	for _, end := range done {
		end()
	}
	if _, end, err := a.ask(t.Context()); err != nil {
		t.Error(err)
	} else {
		end()
	}
}

func TestWhyAQuestionHasNoAnswer(t *testing.T) {
	c, _ := guarded(t, slog.New(slog.DiscardHandler))
	seen := context.WithValue(t.Context(), whoKey{}, everyone)
	some := context.WithValue(t.Context(), whoKey{}, who{Name: "ben", Role: viewer, Tags: []string{"ward"}})
	for _, k := range []struct {
		err       error
		all, some string
	}{
		{fmt.Errorf("x: %w", scoring.ErrUnanswered), "no infer worker answers", "no infer worker answers"},
		{context.DeadlineExceeded, "fewer cameras", "fewer cameras"},
		{words.ErrNoContrast, "no references", "no references"},
		{calibrate.ErrNothing, "Nothing is recorded", "Nothing is recorded"},
		{fmt.Errorf("vault is away"), "vault is away", errHidden.Error()},
	} {
		if got := c.unasked(seen, k.err).Error(); !strings.Contains(got, k.all) {
			t.Errorf("%v: %s", k.err, got)
		}
		if got := c.unasked(some, k.err).Error(); !strings.Contains(got, k.some) || strings.Contains(got, "vault") {
			t.Errorf("%v, to who sees some: %s", k.err, got)
		}
	}
}

// Hours pass, and what came in them is forgotten a day later.
func TestTheDaysBestIsByHour(t *testing.T) {
	b := best{newest: 1000}
	b.note(1000, .3)
	b.note(1000, .2)
	b.note(1002, .5)
	b.note(1001, .4)
	b.note(900, 1)
	if got := b.of(1002); got[hours-1] != .5 || got[hours-2] != .4 || got[hours-3] != .3 || got[0] != 0 {
		t.Errorf("%v", got)
	}
	b.note(1025, .1)
	if got := b.of(1025); got[hours-1] != .1 || got[0] != .5 {
		t.Errorf("%v", got)
	}
	if got := b.of(1100); got != [hours]float32{} {
		t.Errorf("after days: %v", got)
	}
}

// The alerts of a word are counted for who sees their cameras, those of the days before too.
func TestAlertsOfWordsAreCounted(t *testing.T) {
	w := newWorded(t)
	var all []topics.Alert
	for i, ago := range []time.Duration{time.Hour, 2 * time.Hour, 50 * time.Hour, 51 * time.Hour, 10 * day} {
		a := raisedAlert("fall", []string{"hall", "vault", "hall", "vault", "hall"}[i], ago)
		a.Vocab.Name = "default"
		all = append(all, a)
	}
	elsewhere := raisedAlert("other", "hall", time.Hour)
	elsewhere.Vocab.Name = "night"
	w.send(append(all, elsewhere)...)
	w.token = "admin"
	w.await("the alerts", func() bool { return w.list("").Left == 3 })
	w.mark(all[0], sayTrue)
	w.mark(all[3], sayFalse)
	for token, want := range map[string]Judged{"viewer": {4, 1, 1, 2}, "limited": {2, 1, 0, 1}} {
		w.token = token
		var out struct {
			Words map[string]*Judged `json:"words"`
			Whole bool               `json:"whole"`
		}
		status, text := w.call("GET", "/words/alerts", nil, &out)
		if got := out.Words["falling down"]; status != http.StatusOK || !out.Whole || got == nil || *got != want || len(out.Words) != 1 {
			t.Errorf("%s: %d %s, want %+v", token, status, text, want)
		}
	}
	if status, _ := w.call("GET", "/words/alerts?vocabulary=none", nil, nil); status != http.StatusNotFound {
		t.Errorf("of a vocabulary that there is not: %d", status)
	}
}
