package scoring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func remote(t *testing.T, s *redistest.Server, model string, patience time.Duration) *Remote {
	t.Helper()
	r, err := NewRemote(RemoteOptions{Client: s.Client, Prefix: "f:", Model: model, Dim: testDim})
	if err != nil {
		t.Fatal(err)
	}
	r.patience = patience
	return r
}

func TestAProcessWithoutTheModelAsksForTexts(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	e := &embedder{}
	watch(t, s, setup{Embedder: e}) // a vocabulary is not needed
	r := remote(t, s, "model", stagetest.Patience)
	texts := []string{"endless", "bad\x00", " ", "fall"}
	for i := range 2 * askTogether {
		texts = append(texts, fmt.Sprintf("text %02d", i))
	}
	vectors, refused, err := r.Of(ctx, append(texts, "fall"))
	if err != nil {
		t.Fatal(err)
	}
	if len(vectors) != len(texts)-3 || !slices.Equal(vectors["fall"], vectorOf("fall")) {
		t.Errorf("%d vectors", len(vectors))
	}
	for text, want := range map[string]string{"endless": "99 tokens: at most 77", "bad\x00": "it has a control character in it", " ": "it is empty"} {
		if refused[text] == nil || refused[text].Error() != want {
			t.Errorf("%q was refused because of %v, want %s", text, refused[text], want)
		}
	}
	e.texts()
	if vectors, _, err = r.Of(ctx, []string{"fall", "text 07"}); err != nil || len(vectors) != 2 {
		t.Errorf("%d vectors, %v", len(vectors), err)
	}
	if again := e.texts(); len(again) > 0 {
		t.Errorf("what is cached was embedded again: %q", again)
	}
	if n := s.Client.Exists(ctx, "f:wanted:model").Val(); n != 0 {
		t.Error("a list is left")
	}
}

func TestNobodyHasTheModel(t *testing.T) {
	s := redistest.Start(t)
	watch(t, s, setup{Embedder: &embedder{id: "another"}})
	_, _, err := remote(t, s, "model", time.Second).Of(t.Context(), []string{"fall"})
	if err == nil || err.Error() != "embed texts: no running infer has model model" {
		t.Errorf("got %v", err)
	}
	if left := s.Client.TTL(t.Context(), "f:wanted:model").Val(); left <= 0 || left > 2*wantedTime {
		t.Errorf("what was asked for stays for %v", left)
	}
	// An infer that is stuck gives another error.
	e := &embedder{id: "model", gate: func(ctx context.Context, _ []string) error { <-ctx.Done(); return ctx.Err() }}
	w := watch(t, s, setup{Embedder: e})
	stagetest.Await(t, "the infer listens", func() bool {
		return s.Client.PubSubNumSub(t.Context(), "f:wanted-asked:model").Val()["f:wanted-asked:model"] == 1
	})
	if _, _, err = remote(t, s, "model", time.Second).Of(t.Context(), []string{"fall"}); err == nil || !strings.Contains(err.Error(), "it is busy") {
		t.Errorf("got %v", err)
	}
	w.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := remote(t, s, "model", stagetest.Patience).Of(ctx, []string{"fall"}); err == nil {
		t.Error("asked after the end")
	}
}

func TestTheListOfWantedTextsIsBounded(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	list := wanted{client: s.Client, prefix: "f:", model: "model"}
	for i := range 20 {
		texts := make([]string, askTogether)
		for k := range texts {
			texts[k] = fmt.Sprintf("text %d of %d", k, i)
		}
		if _, _, err := list.ask(ctx, texts); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Client.ZCard(ctx, list.key()).Val(); n != maxWanted {
		t.Errorf("%d texts wait, at most %d may", n, maxWanted)
	}
	if waiting, _, err := list.ask(ctx, []string{"text 3 of 0", "one more"}); err != nil || waiting != 1 {
		t.Errorf("%d wait of one that does and one that can't, %v", waiting, err)
	}
}

// Anyone who can write to Redis can write to the list.
func TestAHostileListIsTakenInBounds(t *testing.T) {
	for name, write := range map[string]func(ctx context.Context, c *redis.Client) error{
		"another type": func(ctx context.Context, c *redis.Client) error { return c.Set(ctx, "f:wanted:model", "x", 0).Err() },
		"very many": func(ctx context.Context, c *redis.Client) error {
			var all []redis.Z
			for i := range 5000 {
				all = append(all, redis.Z{Score: 1e15, Member: fmt.Sprintf("text %d", i)})
			}
			return c.ZAdd(ctx, "f:wanted:model", all...).Err()
		},
		"very long": func(ctx context.Context, c *redis.Client) error {
			return c.ZAdd(ctx, "f:wanted:model", redis.Z{Score: 1e15, Member: strings.Repeat("x", 10<<20)}).Err()
		},
		"no text": func(ctx context.Context, c *redis.Client) error {
			return c.ZAdd(ctx, "f:wanted:model", redis.Z{Score: 1e15, Member: "a\x00\xff"}, redis.Z{Score: 1e15, Member: ""}).Err()
		},
		"long ago": func(ctx context.Context, c *redis.Client) error {
			return c.ZAdd(ctx, "f:wanted:model", redis.Z{Score: 1, Member: "forgotten"}).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := redistest.Start(t), t.Context()
			if err := write(ctx, s.Client); err != nil {
				t.Fatal(err)
			}
			e := &embedder{}
			w := watch(t, s, setup{Embedder: e})
			vectors, _, err := remote(t, s, "model", stagetest.Patience).Of(ctx, []string{"fall"})
			if err != nil || vectors["fall"] == nil {
				t.Fatalf("a text asked for beside it: %v", err)
			}
			stagetest.Await(t, "the list is worked off", func() bool { return s.Client.Exists(ctx, "f:wanted:model").Val() == 0 })
			w.stop()
			embedded := e.texts()
			if len(embedded) > maxWanted+1 || slices.Contains(embedded, "forgotten") {
				t.Errorf("%d texts were embedded", len(embedded))
			}
			for _, text := range embedded {
				if checkText(text) != nil {
					t.Errorf("the model was given %.30q", text)
				}
			}
		})
	}
}

func TestEditsComeBeforeWhatIsAskedFor(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	pass := make(chan struct{}) // one for each call with texts asked for
	e := &embedder{gate: func(ctx context.Context, texts []string) error {
		if !strings.HasPrefix(texts[0], "asked") {
			return nil
		}
		select {
		case <-pass:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	var asked []string
	for i := range askTogether {
		asked = append(asked, fmt.Sprintf("asked %d", i))
	}
	w := watch(t, s, setup{Embedder: e})
	answered := make(chan error, 1)
	go func() {
		_, _, err := remote(t, s, "model", stagetest.Patience).Of(ctx, asked)
		answered <- err
	}()
	stagetest.Await(t, "the model is asked", func() bool {
		select {
		case pass <- struct{}{}:
			return true
		default:
			return false
		}
	})
	set(t, s, "fall", "")
	calls := 0
	stagetest.Await(t, "the edit", func() bool {
		select {
		case pass <- struct{}{}:
			calls++
			time.Sleep(quick) // a call of the model takes its time
		default:
		}
		return len(w.labels()) == 1
	})
	if len(answered) > 0 {
		t.Error("the edit waited for all that was asked for")
	}
	close(pass)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestOptionsOfARemote(t *testing.T) {
	s := redistest.Start(t)
	for _, o := range []RemoteOptions{
		{Model: "m", Dim: 1}, {Client: s.Client, Model: "m"}, {Client: s.Client, Dim: 1},
		{Client: s.Client, Model: "a\nb", Dim: 1}, {Client: s.Client, Model: strings.Repeat("m", 129), Dim: 1},
	} {
		if _, err := NewRemote(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(field("a"))
	f.Add(field("a") + " 99 tokens")
	f.Add("\x1b[31m \x00")
	f.Fuzz(func(t *testing.T, message string) {
		if _, refused := readAnswer(message); len(refused) > 500 || strings.ContainsAny(refused, "\x00\x1b\n") {
			t.Errorf("a reason of %d bytes: %.40q", len(refused), refused)
		}
	})
}

// A text that is too long is not even transferred from Redis.
func TestLongWantedTextsStayInRedis(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	list := wanted{client: s.Client, prefix: "f:", model: "model"}
	for _, text := range []string{strings.Repeat("x", maxText+1), "fall"} {
		if err := s.Client.ZAdd(ctx, list.key(), redis.Z{Score: 1e15, Member: text}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	texts, err := list.take(ctx, 10)
	if err != nil || !slices.Equal(texts, []string{"fall"}) {
		t.Errorf("%d texts are taken, %v", len(texts), err)
	}
}
