package scoring

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func texts(what string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s %d", what, i)
	}
	return out
}

// held is how many of the texts are in the cache.
func held(t *testing.T, c cache, texts []string) (n int) {
	t.Helper()
	if err := c.get(t.Context(), texts, func(string, []float32) { n++ }); err != nil {
		t.Fatal(err)
	}
	return n
}

func fill(t *testing.T, c cache, texts []string) {
	t.Helper()
	vectors := map[string][]float32{}
	for _, text := range texts {
		vectors[text] = vectorOf(text)
	}
	if err := c.put(t.Context(), vectors); err != nil {
		t.Fatal(err)
	}
}

func TestTheCacheIsPruned(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	c := newCache(s.Client, "f:", "model", testDim)
	const most = 100
	used, asked, old, foreign := texts("used", 3*most), texts("asked", 5*most), texts("old", 20), texts("foreign", 30)
	for _, group := range [][]string{used, asked, old, foreign} {
		fill(t, c, group)
	}
	if err := c.note(ctx, used, keepUsed); err != nil {
		t.Fatal(err)
	}
	for _, text := range old { // nobody has used them for a month
		if err := s.Client.ZAdd(ctx, c.times(), redis.Z{Score: 1, Member: field(text)}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range foreign { // written by a version that stored no times
		if err := s.Client.ZRem(ctx, c.times(), field(text)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	// Texts in use that are asked for again are not kept any shorter.
	if err := c.note(ctx, used, keepAsked); err != nil {
		t.Fatal(err)
	}
	if err := c.prune(ctx, 10*most); err != nil {
		t.Fatal(err)
	}
	for _, group := range []struct {
		name  string
		texts []string
		want  int
	}{{"used", used, 3 * most}, {"asked", asked, 5 * most}, {"old", old, 0}, {"foreign", foreign, 30}} {
		if n := held(t, c, group.texts); n != group.want {
			t.Errorf("with room, %d of the %s are kept, want %d", n, group.name, group.want)
		}
	}
	if held, noted := s.Client.HLen(ctx, c.key).Val(), s.Client.ZCard(ctx, c.times()).Val(); held != noted {
		t.Errorf("%d are held and %d noted", held, noted)
	}
	// A vocabulary that is larger than the bound loses nothing.
	if err := c.prune(ctx, most); err != nil {
		t.Fatal(err)
	}
	if n := held(t, c, used); n != len(used) {
		t.Errorf("%d of %d in use are kept", n, len(used))
	}
	if n := s.Client.HLen(ctx, c.key).Val(); n != int64(len(used)) {
		t.Errorf("%d entries are kept, at most %d and those in use may be", n, most)
	}
}

// Otherwise texts that people search for would make the cache grow for ever.
func TestTheCacheIsPrunedWhileItGrows(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	set(t, s, "fall", "", "run", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "fall", "run")
	c := w.Embeddings.cache
	stagetest.Await(t, "what is in use is noted", func() bool {
		return s.Client.ZCount(ctx, c.times(), fmt.Sprint(s.Client.Time(ctx).Val().Add(keepUsed-renewUsed).Unix()), "+inf").Val() == 2
	})
	old := texts("old", 3)
	fill(t, c, old)
	for _, text := range old {
		if err := s.Client.ZAdd(ctx, c.times(), redis.Z{Score: 1, Member: field(text)}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Embeddings.Of(ctx, texts("searched", pruneAfter)); err != nil {
		t.Fatal(err)
	}
	if n := held(t, c, old); n != 0 {
		t.Errorf("%d that nobody has used for long are kept", n)
	}
	if n := held(t, c, []string{"fall", "run"}); n != 2 {
		t.Errorf("%d of 2 in use are kept", n)
	}
}
