package archive

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A file of a stranger is read or refused: it ends no process and allocates
// little more than it has.
func FuzzSegment(f *testing.F) {
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 20}
	var records []Record[topics.Recognition]
	for i := range 20 {
		at := hour.Add(time.Duration(i) * time.Second)
		records = append(records, Record[topics.Recognition]{Value: action("lobby", at, 4), At: topics.RecordRef{Offset: int64(i)}, Time: at})
	}
	content, _, err := actionsCodec().encode(n, records, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add(content[:len(content)/2])
	for i := range records {
		records[i].Value = seenHow(i, "lobby", records[i].Time, 4)
	}
	if content, _, err = actionsCodec().encode(n, records, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("PAR1"))
	f.Fuzz(func(t *testing.T, content []byte) {
		b := bucket(t)
		file := filepath.Join(b.dir, filepath.FromSlash(n.Key()))
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, content, 0o644))
		r := reader(t, ReaderOptions{Bucket: b})
		given := 0
		if _, err := r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
			given++
			return r.Value.Validate()
		}); err != nil {
			t.Error(err)
		}
		if given > 20 {
			t.Errorf("%d records of 20 offsets", given)
		}
		if _, err := r.Scan(t.Context(), Range{Views: true, Ends: true}, func(b Batch) error {
			if len(b.Embeddings) != 2*b.Dims*len(b.Rows) || b.Views != nil && len(b.Views) != len(b.Rows) {
				t.Errorf("%d bytes of %d rows of %d, views of %d", len(b.Embeddings), len(b.Rows), b.Dims, len(b.Views))
			}
			for _, views := range b.Views {
				for i, v := range views {
					if n := 2 * b.Dims; i > 0 && (len(v.Mean) != n || len(v.First) != n || len(v.Last) != n) {
						t.Errorf("view %d has vectors of %d, %d and %d bytes, want %d", i, len(v.Mean), len(v.First), len(v.Last), n)
					}
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if _, err := r.Labels(t.Context(), Range{Ends: true}, func(l Labelled) error {
			for _, r := range l.Records {
				if err := r.Value.Validate(); err != nil {
					return err
				}
			}
			return l.Embed()
		}); err != nil {
			t.Error(err)
		}
		if _, err := Check(context.Background(), CheckOptions{Bucket: b, Names: names}); err != nil {
			t.Error(err)
		}
	})
}

// Bytes that a disk has changed, most of them in the footer, end nothing either.
func TestDamagedBytes(t *testing.T) {
	k, b := recorded(t, 20, hour), bucket(t)
	k.now = hour.Add(2 * time.Hour)
	archived(t, k, b, 1, -1, 20)
	file := filepath.Join(b.dir, filepath.FromSlash(listed(t, b, topics.Actions)[0].Key()))
	content, err := os.ReadFile(file)
	must(t, err)
	r := reader(t, ReaderOptions{Bucket: b})
	random := rand.New(rand.NewPCG(1, 2))
	broken := 0
	for range 600 {
		damaged := bytes.Clone(content)
		for range 1 + random.IntN(4) {
			at := random.IntN(len(damaged))
			if random.IntN(2) == 0 {
				at = len(damaged) - 1 - random.IntN(min(2500, len(damaged)))
			}
			damaged[at] = byte(random.IntN(256))
		}
		must(t, os.WriteFile(file, damaged, 0o644))
		counts, err := r.Actions(t.Context(), Range{}, func(Record[topics.Recognition]) error { return nil })
		must(t, err)
		broken += counts.Broken
		_, err = r.Scan(t.Context(), Range{}, func(Batch) error { return nil })
		must(t, err)
		_, err = r.Labels(t.Context(), Range{Ends: true}, func(l Labelled) error { return l.Embed() })
		must(t, err)
	}
	if broken == 0 {
		t.Error("none was seen to be damaged")
	}
}

func FuzzName(f *testing.F) {
	f.Add("actions/2026-11-28/p03/10h-00000000000000004096-00000000000000008192.parquet")
	f.Add("alerts/2026-11-28/p-1/10h--1-2.parquet")
	f.Fuzz(func(t *testing.T, key string) {
		if n, ok := parseName(key); ok && n.Key() != key {
			t.Errorf("%q is %+v", key, n)
		}
	})
}
