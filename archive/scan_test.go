package archive

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

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

// Segments that were written before a recognition had references are read and
// scanned, and say that they have none.
func TestSegmentsOfOlderVersionsHaveNoReferences(t *testing.T) {
	b := bucket(t)
	old := actionsCodec()
	columns := old.columns
	old.columns = func(dims int) parquet.Group {
		group := columns(dims)
		delete(group, "references_hash")
		delete(group, "references_logit")
		return group
	}
	old.put = func(r *row, a topics.Recognition, dims int) error {
		for _, name := range []string{"references_hash", "references_logit"} {
			r.columns[name] = parquet.LeafColumn{ColumnIndex: 0} // offset, which is put again below
		}
		offset := r.values[r.columns[offsetColumn].ColumnIndex]
		err := putAction(r, a, dims)
		r.values[r.columns[offsetColumn].ColumnIndex] = offset
		return err
	}
	var records []Record[topics.Recognition]
	for i := range 100 {
		at := hour.Add(time.Duration(i) * time.Second)
		a := action("lobby", at, 8)
		a.References = nil
		records = append(records, Record[topics.Recognition]{Value: a, At: topics.RecordRef{Offset: int64(i)}, Time: at})
	}
	n := Name{Topic: topics.Actions, Partition: 1, Hour: hour, From: 0, To: 100}
	content, _, err := old.encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	r := reader(t, ReaderOptions{Bucket: b})
	rows := 0
	counts, err := r.Scan(t.Context(), Range{}, func(b Batch) error {
		for _, row := range b.Rows {
			if row.References != (topics.References{}) || row.ClipID() != records[rows].Value.ClipID {
				t.Errorf("row %+v of clip %s", row, records[rows].Value.ClipID)
			}
			rows++
		}
		return nil
	})
	if err != nil || rows != 100 || counts.Broken > 0 {
		t.Errorf("%d rows, %+v, %v", rows, counts, err)
	}
	counts, err = r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
		if r.Value.References != nil {
			t.Errorf("references %+v", r.Value.References)
		}
		return nil
	})
	if err != nil || counts.Given != 100 {
		t.Errorf("%+v, %v", counts, err)
	}
}
