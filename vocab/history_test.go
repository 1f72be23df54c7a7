package vocab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func past(t *testing.T, s *Store) Past {
	t.Helper()
	p, err := s.Past(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the edits as `by: -label=value +label=value`.
func (p Past) lines() (out []string) {
	for _, e := range p.Edits {
		line := e.By + ":"
		if e.Begins {
			line = "begins"
		}
		for _, c := range e.Changes {
			if c.Before != nil {
				line += " -" + c.Label + "=" + *c.Before
			}
			if c.After != nil {
				line += " +" + c.Label + "=" + *c.After
			}
		}
		out = append(out, line)
	}
	return out
}

func TestEveryEditIsRecorded(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	ana := NewStore(s.Client, "f:").By("ana@desk", "vocab add")
	if got := past(t, ana).Edits; len(got) != 0 {
		t.Fatalf("a vocabulary that does not exist has the history %+v", got)
	}
	for _, edit := range []func() error{
		func() error { return ana.Put(ctx, "default", Label{Name: "fall"}, Label{Name: "run"}) },
		func() error { return ana.Put(ctx, "default", Label{Name: "run"}) }, // changes nothing
		func() error { return ana.Put(ctx, "default", Label{Name: "FALL", Description: "hard"}) },
		func() error { return s.Client.HSet(ctx, "f:vocab:default", "bad\xff", "{").Err() },
		func() error { _, err := ana.By("bo", "").Remove(ctx, "default", "run"); return err },
		func() error { return s.Client.Del(ctx, "f:vocab:default").Err() },
		func() error { return ana.Put(ctx, "default", Label{Name: "wave"}) },
		func() error { return ana.Clear(ctx, "default") },
	} {
		if err := edit(); err != nil {
			t.Fatal(err)
		}
	}
	p := past(t, ana)
	want := []string{
		"begins", "ana@desk: +fall= +run=", "ana@desk: -fall= +fall=hard", "external: +bad\xff={", "bo: -run=",
		"external: -bad\xff={ -fall=hard", "ana@desk: +wave=", "ana@desk: -wave=",
	}
	if got := p.lines(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if e := p.Edits[1]; e.Note != "vocab add" || e.Labels != "2" || time.Since(e.Time).Abs() > time.Hour {
		t.Errorf("got %+v", e)
	}
}

// Whatever was edited and how, any content since the history began can be restored
// as it was, byte by byte.
func TestAnyContentCanBeRestored(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	random := rand.New(rand.NewPCG(3, 4))
	set(t, s, "was there", "before")
	_ = past(t, store)
	contents := []map[string]string{{"was there": "before"}}
	for range 60 {
		now := maps.Clone(contents[len(contents)-1])
		for range 1 + random.IntN(3) {
			field := fmt.Sprintf("label %d", random.IntN(6))
			if delete(now, field); random.IntN(3) > 0 {
				now[field] = []string{"", "words", "{broken", `{"tags":["a"]}`, "\xff\x00"}[random.IntN(5)]
			}
		}
		if maps.Equal(now, contents[len(contents)-1]) {
			continue
		}
		if random.IntN(2) == 0 {
			if err := store.Restore(ctx, "default", now); err != nil {
				t.Fatal(err)
			}
		} else {
			s.Client.Del(ctx, "f:vocab:default")
			if err := s.Client.HSet(ctx, "f:vocab:default", now).Err(); err != nil {
				t.Fatal(err)
			}
			_ = past(t, store)
		}
		contents = append(contents, now)
	}
	p := past(t, store)
	if len(p.Edits) != len(contents) {
		t.Fatalf("%d edits, want %d", len(p.Edits), len(contents))
	}
	for i, want := range contents {
		got, err := p.After(i)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("after edit %d: got %q, %v; want %q", i, got, err, want)
		}
		if at, err := p.Version(version(want)); err != nil || !maps.Equal(contents[at], want) {
			t.Errorf("version %s: edit %d, %v", version(want), at, err)
		}
	}
	if _, err := p.After(-1); err == nil || !strings.Contains(err.Error(), "is not known: its history begins anew there") {
		t.Errorf("before it began: %v", err)
	}
}

// Several workers watch, and the edit is recorded once.
func TestAnEditWithAnotherProgramIsRecordedOnce(t *testing.T) {
	s := redistest.Start(t)
	store := NewStore(s.Client, "f:")
	set(t, s, "fall", "")
	var workers []*watched
	for range 4 {
		workers = append(workers, watch(t, s, 5*time.Millisecond))
	}
	length := func() int64 { return s.Client.XLen(t.Context(), "f:vocab-history:default").Val() }
	stagetest.Await(t, "the beginning", func() bool { return length() == 1 })
	for i := range 20 {
		label := fmt.Sprintf("label %d", i)
		set(t, s, label, "by hand")
		stagetest.Await(t, "it to be recorded", func() bool { return length() == int64(2+i) })
		for _, w := range workers {
			stagetest.Await(t, "every worker to have it", func() bool { return slices.Contains(w.labels(), label) })
		}
	}
	p := past(t, store)
	for i, line := range p.lines()[1:] {
		if want := fmt.Sprintf("external: +label %d=by hand", i); line != want {
			t.Errorf("got %q, want %q", line, want)
		}
	}
	if len(p.Edits) != 21 {
		t.Errorf("%d edits", len(p.Edits))
	}
}

// Edits at the same time do not undo one another, and each is recorded with what it
// did and nothing else.
func TestEditsAtTheSameTime(t *testing.T) {
	s := redistest.Start(t)
	w := watch(t, s, time.Millisecond)
	const people, edits = 4, 10
	g, ctx := errgroup.WithContext(t.Context())
	for who := range people {
		g.Go(func() error {
			store := NewStore(s.Client, "f:").By(fmt.Sprintf("p%d", who), "")
			for i := range edits {
				for { // as a person would
					err := store.Put(ctx, "default", Label{Name: fmt.Sprintf("p%d-%d", who, i)})
					if err == nil {
						break
					}
					if !strings.Contains(err.Error(), "others edit it at the same time") {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "all labels", func() bool { return len(w.labels()) == people*edits })
	p := past(t, NewStore(s.Client, "f:"))
	if len(p.Edits) != 1+people*edits {
		t.Errorf("%d edits", len(p.Edits))
	}
	for _, e := range p.Edits[1:] {
		if len(e.Changes) != 1 || !strings.HasPrefix(e.Changes[0].Label, e.By+"-") {
			t.Errorf("%s: %+v", e.By, e.Changes)
		}
	}
}

func TestTheHistoryIsBounded(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	store.historyBytes = 1 << 20
	const labels = 2500
	many := func(value string) map[string]string {
		out := map[string]string{}
		for i := range labels {
			out[fmt.Sprintf("label %d", i)] = value
		}
		return out
	}
	var versions []string
	for i := range 6 {
		entries := many(strings.Repeat(string(rune('a'+i)), 100)) // 0.3 MB, and 0.6 to replace it
		versions = append(versions, version(entries))
		if err := store.Restore(ctx, "default", entries); err != nil {
			t.Fatal(err)
		}
	}
	if used := s.Client.MemoryUsage(ctx, "f:vocab-history:default").Val(); used > 2<<20 {
		t.Errorf("the history uses %d kB", used>>10)
	}
	p := past(t, store)
	last, err := p.Version(versions[4])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.After(last); err != nil || version(got) != versions[4] {
		t.Errorf("the version before: %v", err)
	}
	for i, e := range p.Edits {
		if e.Version == versions[5] && !e.Cut && len(e.Changes) != labels {
			t.Errorf("edit %d has %d changes", i, len(e.Changes))
		}
	}
	_, err = p.Version(versions[0])
	if unknown := new(Unknown); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "its history begins 2") {
		t.Errorf("a version that is forgotten: %v", err)
	}
	if _, err := p.After(-1); err == nil {
		t.Error("what was before is known")
	}
}

func TestEntriesOfTheHistoryAreBounded(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	set(t, s, "a", "0")
	_ = past(t, store)
	pipe := s.Client.Pipeline()
	for range maxHistory {
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: "f:vocab-history:default", Values: []string{"size", "1"}})
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(ctx, "default", Label{Name: "b"}); err != nil {
		t.Fatal(err)
	}
	if n := s.Client.XLen(ctx, "f:vocab-history:default").Val(); n != maxHistory {
		t.Errorf("%d entries", n)
	}
}

// Who edits by hand may also spoil what the history rests on.
func TestAHistoryThatWasTamperedWithSaysSo(t *testing.T) {
	for _, c := range []struct {
		name   string
		tamper func(ctx context.Context, s *redistest.Server) error
		want   string
	}{
		{"an entry is missing", func(ctx context.Context, s *redistest.Server) error {
			ids := s.Client.XRange(ctx, "f:vocab-history:default", "-", "+").Val()
			return s.Client.XDel(ctx, "f:vocab-history:default", ids[2].ID).Err()
		}, "can't be worked out: entries are missing or were edited"},
		{"the recorded content is gone", func(ctx context.Context, s *redistest.Server) error {
			if err := s.Client.Del(ctx, "f:vocab-recorded:default").Err(); err != nil {
				return err
			}
			return s.Client.HSet(ctx, "f:vocab:default", "d", "").Err()
		}, "its history begins anew there"},
		{"all but the content is gone", func(ctx context.Context, s *redistest.Server) error {
			return s.Client.Del(ctx, "f:vocab-recorded:default", "f:vocab-recording:default", "f:vocab-history:default").Err()
		}, "has no version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ctx := redistest.Start(t), t.Context()
			store := NewStore(s.Client, "f:")
			for _, value := range []string{"1", "2", "3"} {
				if err := store.Put(ctx, "default", Label{Name: "a", Description: value}); err != nil {
					t.Fatal(err)
				}
			}
			first := past(t, store).Edits[1].Version
			if err := c.tamper(ctx, s); err != nil {
				t.Fatal(err)
			}
			p := past(t, store)
			at, err := p.Version(first)
			if err == nil {
				_, err = p.After(at)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err := store.Put(ctx, "default", Label{Name: "b"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A history that can't be written is a warning, and the vocabulary is in force.
func TestAHistoryThatFailsIsAWarning(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	last := &redis.XAddArgs{Stream: "f:vocab-history:default", ID: "18446744073709551615-18446744073709551615", Values: []string{"x", "y"}}
	if err := s.Client.XAdd(ctx, last).Err(); err != nil { // nothing can be added after it
		t.Fatal(err)
	}
	set(t, s, "fall", "")
	w := watch(t, s, quick)
	w.awaitLabels(t, "fall")
	w.awaitHealth(t, "")
	w.reports.AwaitWarning(t, "vocabulary history", "record the history of vocabulary default: ")
	s.Client.Del(ctx, "f:vocab-history:default")
	w.reports.AwaitWarning(t, "vocabulary history", "")
	if got := past(t, NewStore(s.Client, "f:")).lines(); !slices.Equal(got, []string{"begins"}) {
		t.Errorf("got %q", got)
	}
}

func TestPastAt(t *testing.T) {
	at := func(minutes int) time.Time { return time.UnixMilli(0).Add(time.Duration(minutes) * time.Minute) }
	p := Past{What: "default", Edits: []Edit{{Time: at(1), Version: "aaaa1"}, {Time: at(2), Version: "aaaa2"}, {Time: at(3), Version: "bbbb"}, {Time: at(4), Version: "aaaa1"}}}
	for minutes, want := range map[int]int{2: 0, 3: 1, 5: 3} {
		if got, err := p.At(at(minutes)); err != nil || got != want {
			t.Errorf("before minute %d: %d, %v", minutes, got, err)
		}
	}
	if _, err := p.At(at(1)); err == nil || !strings.Contains(err.Error(), "is not known: its history begins") {
		t.Errorf("got %v", err)
	}
	for version, want := range map[string]string{"aaaa": "several begin so", "bbb": "has no version", "cccc": "has no version"} {
		if _, err := p.Version(version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %s: %v", version, err)
		}
	}
	if got, err := p.Version("aaaa1"); err != nil || got != 3 {
		t.Errorf("%d, %v", got, err)
	}
}
