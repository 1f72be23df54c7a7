package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// viewed is an action that was seen in so many views, as infer records it; its labels
// are of the last.
func viewed(camera string, at time.Time, dims, views int) topics.Recognition {
	a := action(camera, at, dims)
	for i := range views {
		kind := []topics.View{topics.ViewCentre, topics.ViewTiles, topics.ViewSquash, topics.ViewZoom}[min(i, 3)]
		v := topics.SeenView{View: kind, Box: topics.Box{Left: float64(at.Second()) / 120, Top: float64(i) / 40, Width: .5, Height: .1}}
		if i > 0 {
			more := action("other", at.Add(time.Duration(i)*time.Hour), dims)
			v.Embedding, v.First, v.Last, v.Logit = more.Embedding, more.First, more.Last, float64(i)/7
		}
		a.Views = append(a.Views, v)
	}
	if views > 1 {
		a.Labels[0].View, a.Labels[1].View = views-1, views/2
		// The last was drawn for a zone, and a label is of it.
		a.Views[views-1].Zone = &topics.ZoneRef{Name: "door", Polygon: "1f"}
		a.Labels[0].Zone = &topics.ZoneRef{Name: "door", Polygon: "1f"}
	}
	return a
}

// seenHow changes what records of a test have of views: none, one, several, and what
// fits into no column.
func seenHow(i int, camera string, at time.Time, dims int) topics.Recognition {
	switch i % 6 {
	case 1:
		return viewed(camera, at, dims, 1)
	case 2:
		return viewed(camera, at, dims, 2)
	case 3:
		return viewed(camera, at, dims, 5)
	}
	return action(camera, at, dims)
}

// odd is a recognition whose last view has an embedding of another length.
func odd(camera string, at time.Time, dims int) topics.Recognition {
	a := viewed(camera, at, dims, 3)
	a.Views[2].Embedding = a.Views[2].Embedding[:dims/2]
	return a
}

func segmentOf(t *testing.T, records ...topics.Recognition) (*Bucket, []Record[topics.Recognition], Meta) {
	t.Helper()
	b := bucket(t)
	n := Name{Topic: topics.Actions, Partition: 1, Hour: hour, From: 0, To: int64(len(records))}
	var all []Record[topics.Recognition]
	for i, v := range records {
		all = append(all, Record[topics.Recognition]{Value: v, At: topics.RecordRef{Topic: "t.actions", Partition: 1, Offset: int64(i)}, Time: hour.Add(time.Duration(i) * time.Second)})
	}
	content, meta, err := actionsCodec().encode(n, all, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	return b, all, meta
}

// scanned are the recognitions of a range as far as a scan gives them.
func scanned(t *testing.T, r *Reader, g Range) (all []topics.Recognition, batches int) {
	t.Helper()
	var one sync.Mutex
	_, err := r.Scan(t.Context(), g, func(b Batch) error {
		one.Lock()
		defer one.Unlock()
		batches++
		for i, row := range b.Rows {
			at := func(of []byte) topics.Float16Vector {
				if len(of) == 0 {
					return nil
				}
				return topics.Float16s(of[2*b.Dims*i : 2*b.Dims*(i+1)])
			}
			a := topics.Recognition{ClipID: row.ClipID(), Embedding: at(b.Embeddings), First: at(b.First), Last: at(b.Last)}
			if b.Views != nil {
				for k, v := range b.Views[i] {
					own := topics.SeenView{View: v.View, Box: v.Box, Zone: v.Zone, Logit: v.Logit}
					if k > 0 {
						own.Embedding = topics.Float16s(v.Mean)
					}
					if k > 0 && g.Ends {
						own.First, own.Last = topics.Float16s(v.First), topics.Float16s(v.Last)
					}
					a.Views = append(a.Views, own)
				}
			}
			all = append(all, a)
		}
		return nil
	})
	must(t, err)
	return all, batches
}

// asScanned is what a scan should give of a record.
func asScanned(a topics.Recognition, g Range) topics.Recognition {
	out := topics.Recognition{ClipID: a.ClipID, Embedding: a.Embedding}
	if g.Ends {
		out.First, out.Last = a.First, a.Last
	}
	if g.Views {
		out.Views = slices.Clone(a.Views)
	}
	for i := range out.Views {
		if !g.Ends {
			out.Views[i].First, out.Views[i].Last = nil, nil
		}
	}
	return out
}

// Whole records, labels and scans give what was recorded of views, from columns, and
// from the column of the rest where something does not fit.
func TestViewsComeBack(t *testing.T) {
	for name, last := range map[string]func(string, time.Time, int) topics.Recognition{"columns": action, "rest": odd} {
		var records []topics.Recognition
		for i := range 300 {
			records = append(records, seenHow(i, []string{"lobby", "door"}[i%2], hour.Add(time.Duration(i)*time.Second), 24))
			if i%50 == 9 {
				records[i].Embedding = nil
			}
		}
		records = append(records, last("door", hour.Add(time.Hour), 24))
		b, all, meta := segmentOf(t, records...)
		if fits := name == "columns"; meta.Viewed != 150 || (meta.Odd == 0) != fits {
			t.Errorf("%s: %+v", name, meta)
		}
		r := reader(t, ReaderOptions{Bucket: b})
		var whole []Record[topics.Recognition]
		_, err := r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error { whole = append(whole, r); return nil })
		must(t, err)
		if !reflect.DeepEqual(whole, all) {
			t.Errorf("%s: whole records differ", name)
		}
		for _, g := range []Range{{}, {Ends: true}, {Views: true}, {Views: true, Ends: true, Cameras: []string{"door"}, Since: seconds(100), Until: seconds(4000)}} {
			var want []topics.Recognition
			for _, a := range records {
				if len(a.Embedding) > 0 && g.camera(a.Camera) && g.time(a.End) {
					want = append(want, asScanned(a, g))
				}
			}
			if name == "rest" && g.Views { // a view that can't be compared is left out
				end := &want[len(want)-1]
				end.Views = end.Views[:2]
			}
			if got, _ := scanned(t, r, g); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v: %d rows, want %d", name, g, len(got), len(want))
			}
		}
		got, _ := byPartitions(t, r, Range{Ends: true}, true)
		for i, w := range all {
			if w.Value = asRules(w.Value); len(got[1]) <= i || !reflect.DeepEqual(normal(got[1][i]), normal(w)) {
				t.Fatalf("%s: clip %d:\ngot  %+v\nwant %+v", name, i, got[1][min(i, len(got[1])-1)], w)
			}
		}
	}
}

// What happens in views costs those who do not ask for it nothing, and rules read no JSON.
func TestViewsAreReadWhereTheyAreWanted(t *testing.T) {
	var records []topics.Recognition
	for i := range 2500 {
		records = append(records, seenHow(i, "lobby", hour.Add(time.Duration(i)*time.Second), 256))
	}
	b, all, _ := segmentOf(t, records...)
	r := reader(t, ReaderOptions{Bucket: b})
	bytesOf := func(g Range) int64 {
		counts, err := r.Scan(t.Context(), g, func(Batch) error { return nil })
		must(t, err)
		return counts.Bytes
	}
	if none, views, ends := bytesOf(Range{}), bytesOf(Range{Views: true}), bytesOf(Range{Views: true, Ends: true}); none > 2500*(512+100) || views < none+2500*400 || ends < 2*views {
		t.Errorf("%d bytes are fetched, %d with views, %d with their ends", none, views, ends)
	}
	if _, batches := scanned(t, r, Range{Views: true, Ends: true}); batches < 2 {
		t.Errorf("%d batches: want several pages", batches)
	}
	bare, counts := byPartitions(t, r, Range{}, false)
	if counts.Bytes > 2500*400 {
		t.Errorf("%d bytes are fetched for rules", counts.Bytes)
	}
	for i, got := range bare[1] {
		want := all[i].Value
		for k := range got.Value.Views {
			if v := got.Value.Views[k]; v.Box != want.Views[k].Box || v.View != want.Views[k].View || v.Embedding != nil {
				t.Fatalf("clip %d: view %+v", i, v)
			}
		}
		if len(got.Value.Views) != len(want.Views) || !reflect.DeepEqual(got.Value.Labels, want.Labels) {
			t.Fatalf("clip %d: %d views, labels %+v", i, len(got.Value.Views), got.Value.Labels)
		}
	}
}

// A file that was written when views had no columns.
func TestViewsOfAnOlderVersion(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "actions-2.parquet"))
	must(t, err)
	b := bucket(t)
	must(t, b.put(t.Context(), Name{Topic: topics.Actions, Hour: hour, From: 0, To: 12}.Key(), content))
	r := reader(t, ReaderOptions{Bucket: b})
	var whole []topics.Recognition
	_, err = r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error { whole = append(whole, r.Value); return nil })
	must(t, err)
	g := Range{Views: true, Ends: true}
	var want []topics.Recognition
	zooms := 0
	for _, a := range whole {
		want = append(want, asScanned(a, g))
		zooms += max(len(a.Views)-1, 0)
	}
	got, _ := scanned(t, r, g)
	if zooms != 4 || whole[2].Labels[0].View != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d zooms; scanned %+v", zooms, got)
	}
	labels, _ := byPartitions(t, r, Range{}, true)
	for i, a := range whole {
		if !reflect.DeepEqual(labels[0][i].Value, asRules(a)) {
			t.Errorf("clip %d: %+v", i, labels[0][i].Value)
		}
	}
}

// Views that do not match their places break their segment, and no reader.
func TestDamagedViewsAreNoticed(t *testing.T) {
	var records []topics.Recognition
	for i := range 50 {
		records = append(records, viewed("lobby", hour.Add(time.Duration(i)*time.Second), 24, 2))
	}
	for name, change := range map[string]func(content []byte){
		"a vector": func(content []byte) {
			content[bytes.LastIndex(content, topics.AppendFloat16(nil, records[20].Views[1].Embedding))] ^= 1
		},
		"a place": func(content []byte) {
			content[bytes.LastIndex(content, appendPlace(nil, &records[20].Views[1]))] = 9
		},
	} {
		b, _, _ := segmentOf(t, records...)
		file := filepath.Join(b.dir, filepath.FromSlash(listed(t, b, topics.Actions)[0].Key()))
		content, err := os.ReadFile(file)
		must(t, err)
		change(content)
		must(t, os.WriteFile(file, content, 0o644))
		counts, err := reader(t, ReaderOptions{Bucket: b}).Scan(t.Context(), Range{Views: true}, func(Batch) error { return nil })
		if err != nil || counts.Broken != 1 || counts.Given > 0 {
			t.Errorf("%s: %+v, %v", name, counts, err)
		}
	}
	for _, c := range []views{
		{places: lists{[][]byte{make([]byte, placeSize-1)}}, mean: lists{[][]byte{nil}}},
		{places: lists{[][]byte{make([]byte, 2*placeSize)}}, mean: lists{[][]byte{make([]byte, 47)}}},
		{places: lists{[][]byte{nil}}, mean: lists{[][]byte{make([]byte, 48)}}},
	} {
		if err := c.check(1, 48, wants{views: true, vectors: true}); err == nil {
			t.Errorf("places of %d bytes with vectors of %d are taken", len(c.places.rows[0]), len(c.mean.rows[0]))
		}
	}
	if err := placeLabels(make([]topics.LabelScore, 2), []byte{1}); err == nil {
		t.Error("one byte says the views of two labels")
	}
}
