package archive

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// asRules is a recognition as rules read it, with embeddings.
func asRules(r topics.Recognition) topics.Recognition {
	r.Clip, r.Timings, r.Background = topics.RecordRef{}, topics.Timings{}, 0
	return r
}

// byPartitions collects what Labels gives, with embeddings if want says so for a batch.
func byPartitions(t *testing.T, r *Reader, g Range, embed bool) (out map[int][]Record[topics.Recognition], counts Counts) {
	t.Helper()
	var mu sync.Mutex
	out = map[int][]Record[topics.Recognition]{}
	counts, err := r.Labels(t.Context(), g, func(l Labelled) error {
		if embed {
			if err := l.Embed(); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, record := range l.Records {
			record.Value = asRules(record.Value)
			record.Value.Labels = slices.Clone(record.Value.Labels)
			for _, v := range []*topics.Float16Vector{&record.Value.Embedding, &record.Value.First, &record.Value.Last} {
				*v = slices.Clone(*v)
			}
			record.Value.Views = slices.Clone(record.Value.Views)
			for i := range record.Value.Views {
				view := &record.Value.Views[i]
				view.Embedding, view.First, view.Last = slices.Clone(view.Embedding), slices.Clone(view.First), slices.Clone(view.Last)
			}
			if record.Value.References != nil {
				references := *record.Value.References
				record.Value.References = &references
			}
			out[l.Partition] = append(out[l.Partition], record)
		}
		return nil
	})
	must(t, err)
	return out, counts
}

// mixed has two partitions: files of an hour, and newer records on Kafka alone. Labels
// and what the clips have of them differ from clip to clip.
func mixed(t *testing.T) (*kafka, *Bucket) {
	t.Helper()
	k, b := newKafka(2, "t.actions"), bucket(t)
	for i := range 700 {
		at := hour.Add(time.Duration(i) * 6 * time.Second)
		a := action(fmt.Sprintf("cam-%d", i%3), at, 8)
		switch i % 5 {
		case 1:
			a.Labels = a.Labels[:i%3%2]
		case 2:
			a.Labels = append(a.Labels, topics.LabelScore{Label: fmt.Sprintf("thing %d", i%50), Similarity: float64(float32(i) / 701), Score: 1 / float64(i), Contrast: math.Exp(-float64(i)), NearestBase: "x", NearestSimilarity: .1})
		case 3:
			a.Embedding, a.First, a.Last = nil, nil, nil
		case 4:
			a.Tags, a.Epoch, a.Vocab.Version = []string{"a", "b"}, time.Time{}, fmt.Sprint(i%2)
		}
		for l := range a.Labels {
			a.Labels[l].Similarity = float64(float32(a.Labels[l].Similarity))
		}
		k.add("t.actions", i%2, at, encoded(t, a))
	}
	k.now = hour.Add(62 * time.Minute)
	archived(t, k, b, 0, -1, 300)
	archived(t, k, b, 1, -1, 300)
	return k, b
}

// Rules read from the columns what they would read from the whole records.
func TestLabelsAreThoseOfTheRecords(t *testing.T) {
	k, b := mixed(t)
	r := reader(t, ReaderOptions{Bucket: b, Log: k})
	for _, g := range []Range{{}, {Cameras: []string{"cam-1"}}, {Since: hour.Add(10 * time.Minute), Until: hour.Add(66 * time.Minute)}} {
		want := map[int][]Record[topics.Recognition]{}
		_, err := r.Actions(t.Context(), g, func(r Record[topics.Recognition]) error {
			r.Value = asRules(r.Value)
			want[r.At.Partition] = append(want[r.At.Partition], r)
			return nil
		})
		must(t, err)
		g.Ends = true
		got, counts := byPartitions(t, r, g, true)
		if len(want[0]) < 50 || counts.Given != len(want[0])+len(want[1]) || counts.Unreadable+counts.Broken > 0 {
			t.Fatalf("%d and %d recognitions, %+v", len(want[0]), len(want[1]), counts)
		}
		for p := range want {
			for i, w := range want[p] {
				if len(got[p]) <= i || !reflect.DeepEqual(normal(got[p][i]), normal(w)) {
					t.Fatalf("partition %d, clip %d:\ngot  %+v\nwant %+v", p, i, got[p][min(i, len(got[p])-1)], w)
				}
			}
		}
	}
}

// normal takes no list for an empty one.
func normal(r Record[topics.Recognition]) Record[topics.Recognition] {
	if len(r.Value.Labels) == 0 {
		r.Value.Labels = nil
	}
	return r
}

func TestEmbeddingsAreReadWhereTheyAreWanted(t *testing.T) {
	_, b := mixed(t)
	r := reader(t, ReaderOptions{Bucket: b})
	bare, few := byPartitions(t, r, Range{}, false)
	full, all := byPartitions(t, r, Range{}, true)
	have := func(of map[int][]Record[topics.Recognition]) (n, ends int) {
		for _, r := range slices.Concat(of[0], of[1]) {
			if len(r.Value.Embedding) > 0 {
				n++
			}
			ends += len(r.Value.First)
		}
		return n, ends
	}
	if n, _ := have(bare); n != 0 || few.Bytes >= all.Bytes {
		t.Errorf("%d have an embedding; %d bytes were fetched, and %d with embeddings", n, few.Bytes, all.Bytes)
	}
	if n, ends := have(full); n < 400 || ends > 0 {
		t.Errorf("%d have an embedding, %d values are of the first frames", n, ends)
	}
}

// Similarities that are no float32, as other programs may write them, are in the JSON.
func TestLabelsThatDoNotFitAreInTheJSON(t *testing.T) {
	b := bucket(t)
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 3}
	var records []Record[topics.Recognition]
	for i := range 3 {
		at := hour.Add(time.Duration(i) * time.Second)
		a := action("lobby", at, 4)
		a.Labels[0].Similarity, a.Labels[0].Score = .5, 1.0/3
		if i == 1 {
			a.Labels[0].Similarity, a.Labels[1].Label = 1.0/3, "only here"
		}
		records = append(records, Record[topics.Recognition]{Value: a, At: topics.RecordRef{Topic: "t.actions", Offset: int64(i)}, Time: at})
	}
	content, _, err := actionsCodec().encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	got, _ := byPartitions(t, reader(t, ReaderOptions{Bucket: b}), Range{}, false)
	for i, r := range records {
		if !reflect.DeepEqual(got[0][i].Value.Labels, r.Value.Labels) {
			t.Errorf("labels %+v, want %+v", got[0][i].Value.Labels, r.Value.Labels)
		}
	}
}

// What has no column is read with the whole record: here the first frames' embedding,
// which has another length.
func TestWhatHasNoColumnIsNotLost(t *testing.T) {
	b := bucket(t)
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 2}
	var records []Record[topics.Recognition]
	for i := range 2 {
		at := hour.Add(time.Duration(i) * time.Second)
		records = append(records, Record[topics.Recognition]{Value: action("lobby", at, 4), At: topics.RecordRef{Topic: "t.actions", Offset: int64(i)}, Time: at})
	}
	records[1].Value.First = topics.Float16Vector{.5, .25}
	content, _, err := actionsCodec().encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	got, _ := byPartitions(t, reader(t, ReaderOptions{Bucket: b}), Range{Ends: true}, true)
	if len(got[0]) != 2 || !slices.Equal(got[0][1].Value.First, records[1].Value.First) {
		t.Errorf("read %+v", got[0])
	}
}

// A file that was written before labels had columns of their own.
func TestASegmentOfAnOlderVersion(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "actions-1.parquet"))
	must(t, err)
	b := bucket(t)
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 30}
	must(t, b.put(t.Context(), n.Key(), content))
	r := reader(t, ReaderOptions{Bucket: b})
	got, counts := byPartitions(t, r, Range{}, true)
	if counts.Given != 30 || counts.Broken+counts.Unreadable > 0 {
		t.Fatalf("%+v", counts)
	}
	i := 0
	_, err = r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
		want := action("lobby", hour.Add(time.Duration(i)*time.Second), 4)
		if !reflect.DeepEqual(r.Value, want) || !reflect.DeepEqual(got[0][i].Value, asRules(want)) {
			t.Errorf("got  %+v\nand  %+v\nwant %+v", r.Value, got[0][i].Value, want)
		}
		i++
		return nil
	})
	must(t, err)
}

// A row that no rule could take costs itself, not the segment.
func TestAnUnreadableRowAmongLabels(t *testing.T) {
	b := bucket(t)
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 9}
	var records []Record[topics.Recognition]
	for i := range 9 {
		at := hour.Add(time.Duration(i) * time.Second)
		a := action("lobby", at, 4)
		a.Labels[0].Similarity = .5
		switch i {
		case 2:
			a.Labels[0].Contrast = 2
		case 4:
			a.ClipID = "a\x1b[2J"
		case 5:
			a.Camera = "no/camera"
		case 6:
			a.End = a.Start
		}
		records = append(records, Record[topics.Recognition]{Value: a, At: topics.RecordRef{Topic: "t.actions", Offset: int64(i)}, Time: at})
	}
	content, _, err := actionsCodec().encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	got, counts := byPartitions(t, reader(t, ReaderOptions{Bucket: b}), Range{}, false)
	var offsets []int64
	for _, r := range got[0] {
		offsets = append(offsets, r.At.Offset)
	}
	if !equal(offsets, []int64{0, 1, 3, 7, 8}) || counts.Unreadable != 4 || counts.Records != 9 || counts.Broken != 0 || len(counts.Reasons) != 4 {
		t.Errorf("offsets %v, %+v", offsets, counts)
	}
	for _, line := range []string{`{"label":""}`, `[`} {
		d := dictionary{}
		if d.learn([]byte(line)); d.wrong == nil || len(d.list) > 0 {
			t.Errorf("a dictionary with the line %s, which no alert could carry, is taken", line)
		}
	}
	for _, values := range []string{"x", string(make([]byte, labelSize)), string(make([]byte, labelSize*(topics.MaxLabels+1)))} {
		if all, err := (&dictionary{}).append(nil, []byte(values)); err == nil || len(all) > 0 {
			t.Errorf("%d bytes of values are taken without a dictionary: %v", len(values), all)
		}
	}
}
