package archive

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go/encoding/rle"

	"github.com/frostwatch/frostwatch/topics"
)

// large is a segment of so many vectors that each column has several pages; some rows
// lack one. It returns the segment's file too.
func large(t *testing.T) (*Bucket, string) {
	t.Helper()
	b := bucket(t)
	random := rand.New(rand.NewPCG(1, 1))
	n := Name{Topic: topics.Actions, Partition: 1, Hour: hour, From: 0, To: 2500}
	var records []Record[topics.Recognition]
	for i := range 2500 {
		at := hour.Add(time.Duration(i) * time.Second)
		a := action([]string{"lobby", "door", "hall"}[random.IntN(3)], at, 512)
		if random.IntN(9) == 0 {
			a.First = nil
		}
		if random.IntN(7) == 0 || i > 1500 && i < 1700 {
			a.Embedding = nil
		}
		records = append(records, Record[topics.Recognition]{Value: a, At: topics.RecordRef{Offset: int64(i)}, Time: at})
	}
	content, _, err := actionsCodec().encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	return b, filepath.Join(b.dir, filepath.FromSlash(n.Key()))
}

// Pages of vectors that are used where they were fetched to give the vectors that the
// Parquet library reads.
func TestAScanOfSeveralPages(t *testing.T) {
	b, _ := large(t)
	r := reader(t, ReaderOptions{Bucket: b})
	for _, g := range []Range{{}, {Ends: true}, {Ends: true, Cameras: []string{"door"}, Since: seconds(300), Until: seconds(2200)}} {
		var want, got, wantEnds, gotEnds []byte
		_, err := r.Actions(t.Context(), g, func(r Record[topics.Recognition]) error {
			if a := r.Value; len(a.Embedding) > 0 {
				want = topics.AppendFloat16(want, a.Embedding)
				wantEnds = appendEnd(appendEnd(wantEnds, a.First, 512), a.Last, 512)
			}
			return nil
		})
		must(t, err)
		batches := 0
		counts, err := r.Scan(t.Context(), g, func(b Batch) error {
			batches++
			got = append(got, b.Embeddings...)
			for i := 0; g.Ends && i < len(b.Embeddings); i += 1024 {
				gotEnds = append(append(gotEnds, b.First[i:i+1024]...), b.Last[i:i+1024]...)
			}
			return nil
		})
		must(t, err)
		if counts.Broken > 0 || batches < 2 || counts.Given != len(want)/1024 || !bytes.Equal(got, want) || g.Ends && !bytes.Equal(gotEnds, wantEnds) {
			t.Errorf("%+v: %d batches, %d bytes of vectors, want %d, the same: %v; %+v", g, batches, len(got), len(want), bytes.Equal(got, want), counts)
		}
	}
}

// A bit that flipped within a vector is noticed.
func TestADamagedVectorIsNoticed(t *testing.T) {
	b, file := large(t)
	content, err := os.ReadFile(file)
	must(t, err)
	vector := topics.AppendFloat16(nil, action("lobby", hour.Add(2000*time.Second), 512).Embedding)
	at := bytes.LastIndex(content, vector)
	if at < 0 {
		t.Fatal("the vector is not in the file")
	}
	content[at+100] ^= 1
	must(t, os.WriteFile(file, content, 0o644))
	counts, err := reader(t, ReaderOptions{Bucket: b}).Scan(t.Context(), Range{Ends: true}, func(Batch) error { return nil })
	if err != nil || counts.Broken != 1 || counts.Given > 0 {
		t.Errorf("%+v, %v", counts, err)
	}
}

// What is null is read as the Parquet library writes it, and garbage ends.
func TestNullsAreReadAsTheyAreWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		levels := make([]byte, 1+random.IntN(300))
		want, nulls, level := make([]bool, len(levels)), 0, byte(random.IntN(2))
		for i := range levels {
			if random.IntN(1+random.IntN(20)) == 0 {
				level = 1 - level
			}
			if levels[i] = level; level == 0 {
				want[i] = true
				nulls++
			}
		}
		if nulls == 0 {
			want = nil
		}
		raw, err := (&rle.Encoding{BitWidth: 1}).EncodeLevels(nil, levels)
		must(t, err)
		if got, n, err := readNulls(raw, len(levels)); err != nil || n != nulls || !slices.Equal(got, want) {
			t.Fatalf("levels %v: %v, %d nulls, %v", levels, got, n, err)
		}
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		if got, _, err := readNulls(raw, len(levels)); err == nil && got != nil && len(got) != len(levels) {
			t.Fatalf("%d rows of %d", len(got), len(levels))
		}
	}
}
