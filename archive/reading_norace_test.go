//go:build !race

package archive

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The tests of this file have one goroutine and compute for long: `make unit` runs them
// without the race detector.

// Whatever of the log is in segments, whatever Kafka has deleted of that, and
// wherever the range begins and ends, it gives the same.
func TestARangeIsTheSameWhereverItLies(t *testing.T) {
	const n = 5000
	archives := map[string]struct {
		archived bool  // the first 4,096 records are in segments
		deleted  int64 // on Kafka
	}{"kafka alone": {}, "most": {true, 0}, "most, and deleted on kafka": {true, 4096}, "overlapping": {true, 1000}}
	random := rand.New(rand.NewPCG(1, 2))
	k, most := recorded(t, n, hour), bucket(t)
	archived(t, k, most, 1, -1, 4096)
	for name, a := range archives {
		t.Run(name, func(t *testing.T) {
			b := most
			if !a.archived {
				b = bucket(t)
			}
			k.first["t.actions"][1] = a.deleted
			r := reader(t, ReaderOptions{Log: k, Bucket: b})
			once(t, r, n)
			for range 4 {
				from := random.IntN(n)
				to := from + 1 + random.IntN(n-from)
				got, counts := ask(t, r, Range{Since: seconds(from), Until: seconds(to), Cameras: []string{"lob*"}})
				want := (to+1)/2 - (from+1)/2 // even seconds
				if len(got) != want || want > 0 && (got[0] != from+from%2 || got[want-1] != to-1-(to-1)%2) {
					t.Fatalf("%d to %d: %d records, want %d: %+v", from, to, len(got), want, counts)
				}
			}
		})
	}
}

// A segment that is cut off, overwritten or foreign is counted and named, and
// Kafka is asked for what it held.
func TestBrokenSegments(t *testing.T) {
	k, whole := recorded(t, 5000, hour), bucket(t)
	archived(t, k, whole, 1, -1, 4096)
	for name, bend := range map[string]func([]byte) []byte{
		"cut off":      func(b []byte) []byte { return b[:len(b)/2] },
		"empty":        func([]byte) []byte { return nil },
		"zeros":        func(b []byte) []byte { return make([]byte, len(b)) },
		"no footer":    func(b []byte) []byte { return append(b[:len(b)-8], "\xff\xff\xff\x7fPAR1"...) },
		"bytes within": func(b []byte) []byte { clear(b[200 : len(b)/2]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			b := copied(t, whole)
			file := filepath.Join(b.dir, filepath.FromSlash(listed(t, b, topics.Actions)[0].Key()))
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, bend(content), 0o644); err != nil {
				t.Fatal(err)
			}
			counts := once(t, reader(t, ReaderOptions{Log: k, Bucket: b}), 5000)
			if counts.Broken != 1 || len(counts.Reasons) == 0 || !strings.Contains(counts.Reasons[0], filepath.Base(file)) {
				t.Errorf("counted %+v", counts)
			}
			t.Log(counts.Reasons)
		})
	}
}

// A scan gives the embeddings that reading whole records gives, across segments
// and Kafka, models of two sizes and records without an embedding.
func TestAScanGivesWhatReadingGives(t *testing.T) {
	k, b := newKafka(2, "t.actions"), bucket(t)
	for i := range 6000 {
		at := hour.Add(time.Duration(i) * time.Second)
		dims := 8
		switch {
		case i%100 == 7:
			dims = 0
		case i >= 3000:
			dims = 12
		}
		a := action([]string{"lobby", "door"}[i%2], at, dims)
		if i%100 == 9 {
			a.First = nil
		}
		k.add("t.actions", 1, at, encoded(t, a))
	}
	k.now = hour.Add(6000 * time.Second)
	archived(t, k, b, 1, -1, 4096)
	r := reader(t, ReaderOptions{Log: k, Bucket: b})
	for name, g := range map[string]Range{
		"all":                       {},
		"a camera":                  {Cameras: []string{"door"}},
		"a time":                    {Since: seconds(2000), Until: seconds(5000), Cameras: []string{"lob*", "door"}},
		"ends":                      {Ends: true},
		"ends of a camera and time": {Since: seconds(2000), Until: seconds(5000), Cameras: []string{"lob*"}, Ends: true},
	} {
		var want []Row
		var vectors, ends []byte
		if _, err := r.Actions(t.Context(), g, func(r Record[topics.Recognition]) error {
			if a := r.Value; len(a.Embedding) > 0 {
				want = append(want, rowOf(r))
				vectors = topics.AppendFloat16(vectors, a.Embedding)
				if g.Ends {
					ends = appendEnd(appendEnd(ends, a.First, len(a.Embedding)), a.Last, len(a.Embedding))
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var got []Row
		var scanned, scannedEnds []byte
		counts, err := r.Scan(t.Context(), g, func(b Batch) error {
			mu.Lock()
			defer mu.Unlock()
			if len(b.Embeddings) != 2*b.Dims*len(b.Rows) || b.Partition != 1 {
				t.Errorf("a batch of %d rows, %d dims, %d bytes of partition %d", len(b.Rows), b.Dims, len(b.Embeddings), b.Partition)
			}
			got, scanned = append(got, b.Rows...), append(scanned, b.Embeddings...)
			for i := 0; g.Ends && i < len(b.Embeddings); i += 2 * b.Dims {
				scannedEnds = append(append(scannedEnds, b.First[i:i+2*b.Dims]...), b.Last[i:i+2*b.Dims]...)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(scannedEnds, ends) {
			t.Errorf("%s: the means of first and last frames differ: %d bytes, want %d", name, len(scannedEnds), len(ends))
		}
		if !equal(got, want) || !bytes.Equal(scanned, vectors) {
			t.Errorf("%s: %d rows, want %d; the vectors are the same: %v; %+v", name, len(got), len(want), bytes.Equal(scanned, vectors), counts)
		}
	}
	n := 0
	if _, err := r.Scan(t.Context(), Range{}, func(Batch) error { n++; return ErrStop }); err != nil || n != 1 {
		t.Errorf("%d batches, %v", n, err)
	}
}
