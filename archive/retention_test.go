package archive

import (
	"errors"
	"os"
	"path/filepath"
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
