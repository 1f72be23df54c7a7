//go:build !race

package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestRetention(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t) // hours 10, 10, 11, 12
	archived(t, k, b, 1, -1, 8192)
	before := listed(t, b, topics.Actions)
	tmp := filepath.Join(b.dir, "actions", "2026-11-28", "p01", "left.parquet.18.tmp")
	if err := os.WriteFile(tmp, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(tmp, old, old); err != nil {
		t.Fatal(err)
	}

	s := stage(t, Options{Bus: k, Bucket: b, Keep: Keep{Actions: 24 * time.Hour}, Now: time.Now})
	s.Now = func() time.Time { return hour.Add(25*time.Hour + time.Second) }
	if err := s.removeOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := listed(t, b, topics.Actions)
	if len(before) != 4 || len(left) != 3 || left[0].Hour.Hour() != 11 {
		t.Errorf("by age: %d of %d are left: %+v", len(left), len(before), left)
	}
	s.Keep.Size = left[2].Size + left[1].Size
	if err := s.removeOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := listed(t, b, topics.Actions); len(now) != 2 || now[0] != left[1] {
		t.Errorf("by size: %+v are left", now)
	}
	s.Now = time.Now
	if err := s.removeOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tmp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what an interrupted write left: %v", err)
	}
}

// Films of alerts are kept as long as alerts, and have a bound of their own, which the
// whole archive's does not exceed.
func TestRetentionOfFilms(t *testing.T) {
	b := bucket(t)
	for i := range int64(4) {
		must(t, b.put(t.Context(), Name{Topic: topics.Actions, Partition: 1, Hour: hour, From: i, To: i + 1}.Key(), make([]byte, 1000)))
	}
	film := filepath.Join(t.TempDir(), "film.mp4")
	must(t, os.WriteFile(film, make([]byte, 1000), 0o600))
	for i, id := range []string{"fall/a-1-0", "fall/b-2-0", "fall/c-3-0", "fall/d-4-0"} {
		must(t, b.PutFilm(t.Context(), id, film))
		made := hour.Add(time.Duration(i) * time.Hour)
		must(t, os.Chtimes(filepath.Join(b.dir, filmKey(id)), made, made))
	}
	left := func() (ids string) {
		for _, id := range []string{"fall/a-1-0", "fall/b-2-0", "fall/c-3-0", "fall/d-4-0"} {
			has, err := b.HasFilm(t.Context(), id)
			must(t, err)
			if has {
				ids += id[5:6]
			}
		}
		return ids
	}
	s := stage(t, Options{Bus: recorded(t, 1, hour), Bucket: b, Keep: Keep{Alerts: 24 * time.Hour}, Now: time.Now})
	s.Now = func() time.Time { return hour.Add(24*time.Hour + time.Minute) }
	must(t, s.removeOld(t.Context()))
	if got := left(); got != "bcd" {
		t.Errorf("by age, films of %s are left", got)
	}
	s.Keep.Films = 2500
	must(t, s.removeOld(t.Context()))
	if got := left(); got != "cd" {
		t.Errorf("by size, films of %s are left", got)
	}
	s.Keep.Films, s.Keep.Size = 0, 5000 // half of it is more than the films take
	must(t, s.removeOld(t.Context()))
	if got, segments := left(), listed(t, b, topics.Actions); got != "cd" || len(segments) != 3 {
		t.Errorf("films of %s are left, and %d segments: want the oldest recognitions to give way", got, len(segments))
	}
	s.Keep.Size = 2000
	must(t, s.removeOld(t.Context()))
	if got := left(); got != "d" {
		t.Errorf("films of %s are left of an archive of 2,000 bytes: want them to take half", got)
	}
}

// An alert's id is anybody's text: no film lies outside of its folder, and no two alerts
// share one.
func TestFilmsOfOddIDs(t *testing.T) {
	b := bucket(t)
	film := filepath.Join(t.TempDir(), "film.mp4")
	ids := []string{"fall/a-1-0", "fall-a-1-0", "../../outside", "..", "/", "a\\b", strings.Repeat("long", 200), strings.Repeat("long", 200) + "er", "größe/ß"}
	for _, id := range ids {
		must(t, os.WriteFile(film, []byte(id), 0o600))
		must(t, b.PutFilm(t.Context(), id, film))
	}
	entries, err := os.ReadDir(filepath.Join(b.dir, "evidence"))
	if err != nil || len(entries) != len(ids) {
		t.Fatalf("%d films of %d alerts, %v", len(entries), len(ids), err)
	}
	for _, id := range ids {
		var got bytes.Buffer
		if err := b.Film(t.Context(), id, &got); err != nil || got.String() != id {
			t.Errorf("the film of %q is that of %q, %v", id, got.String(), err)
		}
	}
	if err := b.Film(t.Context(), "fall/none-1-0", io.Discard); !errors.Is(err, ErrNoFilm) {
		t.Errorf("of an alert without a film: %v", err)
	}
}
