package vocab

import (
	"fmt"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
)

func TestInForce(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	// Anyone may have written the key.
	if err := s.Client.Set(ctx, "f:vocab-in-force:default", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if force, err := store.InForce(ctx, "default"); err != nil || len(force) != 0 {
		t.Errorf("got %+v, %v", force, err)
	}
	var problems []Problem
	for range 100 {
		problems = append(problems, Problem{Label: "x\x1b[31m", Err: fmt.Errorf("%s", strings.Repeat("long ", 1000))})
	}
	v := Vocabulary{Name: "default", Version: "v", Labels: []Label{{Name: "a"}}, Problems: problems}
	for i := range maxModels + 10 {
		if err := store.Announce(ctx, "default", NewInForce(fmt.Sprintf("model %02d", i), v)); err != nil {
			t.Fatal(err)
		}
	}
	force, err := store.InForce(ctx, "default")
	if err != nil || len(force) != maxModels {
		t.Fatalf("%d models, %v", len(force), err)
	}
	if f := force[0]; f.Model != "model 00" || f.Labels != 1 || f.SkippedTotal != 100 || len(f.Skipped) != maxSkippedOut || strings.Contains(f.Skipped[0], "\x1b") {
		t.Errorf("got %+v", f)
	}
	if left := s.Client.TTL(ctx, "f:vocab-in-force:default").Val(); left <= 0 || left > announced {
		t.Errorf("it stays for %v", left)
	}
	// Announcements that are too old, or have a time in the future, do not count.
	now := s.Client.Time(ctx).Val()
	for model, at := range map[string]int64{"model 00": now.Add(-2 * announced).Unix(), "model 01": now.Add(announced).Unix()} {
		if err := s.Client.HSet(ctx, "f:vocab-in-force:default", model, fmt.Sprintf(`%d {"model":%q}`, at, model)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Announce(ctx, "default", NewInForce("model 02", v)); err != nil {
		t.Fatal(err)
	}
	if force, err = store.InForce(ctx, "default"); err != nil || len(force) != maxModels-2 {
		t.Errorf("%d models are left, %v", len(force), err)
	}
}

func FuzzReadInForce(f *testing.F) {
	f.Add(`1 {"model":"m","version":"v","labels":1,"skipped":["a"]}`)
	f.Add("1 {")
	f.Add(`{"model":"\u001b[31m"}`)
	f.Fuzz(func(t *testing.T, value string) {
		got, err := readInForce(value)
		if err == nil && strings.ContainsAny(got.Model+got.Version+strings.Join(got.Skipped, ""), "\x00\x1b\n") {
			t.Errorf("%q is read as %+v", value, got)
		}
	})
}
