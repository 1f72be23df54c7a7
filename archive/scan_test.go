package archive

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

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
		k.add("t.actions", 1, at, encoded(t, action([]string{"lobby", "door"}[i%2], at, dims)))
	}
	k.now = hour.Add(6000 * time.Second)
	archived(t, k, b, 1, -1, 4096)
	r := reader(t, ReaderOptions{Log: k, Bucket: b})
	for name, g := range map[string]Range{
		"all":      {},
		"a camera": {Cameras: []string{"door"}},
		"a time":   {Since: seconds(2000), Until: seconds(5000), Cameras: []string{"lob*", "door"}},
	} {
		var want []Row
		var vectors []byte
		if _, err := r.Actions(t.Context(), g, func(r Record[topics.Recognition]) error {
			if a := r.Value; len(a.Embedding) > 0 {
				want = append(want, Row{Camera: a.Camera, Start: a.Start, End: a.End, Model: a.Model, LogitScale: a.LogitScale, Offset: r.At.Offset})
				vectors = topics.AppendFloat16(vectors, a.Embedding)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var got []Row
		var scanned []byte
		counts, err := r.Scan(t.Context(), g, func(b Batch) error {
			mu.Lock()
			defer mu.Unlock()
			if len(b.Embeddings) != 2*b.Dims*len(b.Rows) || b.Partition != 1 {
				t.Errorf("a batch of %d rows, %d dims, %d bytes of partition %d", len(b.Rows), b.Dims, len(b.Embeddings), b.Partition)
			}
			got, scanned = append(got, b.Rows...), append(scanned, b.Embeddings...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
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
