package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func line(t *testing.T, camera string, window int) string {
	t.Helper()
	r := topics.Recognition{
		Camera: camera, Epoch: start, Start: start.Add(time.Duration(window) * 2 * time.Second), Embedding: topics.Float16Vector{1, 0.5},
		Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "none"},
	}
	r.End = r.Start.Add(4 * time.Second)
	r.ClipID = topics.ClipID(camera, r.Epoch, r.Start.Sub(start))
	b, err := topics.EncodeRecognition(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// Two cameras of lines become an archive that gives each its recognitions.
func TestLinesBecomeAnArchive(t *testing.T) {
	var in strings.Builder
	for _, camera := range []string{"gate-1", "ward-1"} {
		for w := range 2000 {
			in.WriteString(line(t, camera, w))
		}
	}
	dir := t.TempDir()
	if err := run(t.Context(), dir, strings.NewReader(in.String()), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	b, err := archive.OpenBucket(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	past, err := archive.NewReader(archive.ReaderOptions{Bucket: b})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	_, err = past.Actions(t.Context(), archive.Range{Since: start, Until: start.Add(3 * time.Hour)}, func(r archive.Record[topics.Recognition]) error {
		count[r.Value.Camera]++
		return nil
	})
	if err != nil || count["gate-1"] != 2000 || count["ward-1"] != 2000 {
		t.Errorf("read %v, %v", count, err)
	}
}

func TestBadLineIsNamed(t *testing.T) {
	if err := run(t.Context(), t.TempDir(), strings.NewReader("{}\n"), &bytes.Buffer{}); err == nil {
		t.Error("a line without an event was accepted")
	}
}
