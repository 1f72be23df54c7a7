//go:build !race

package archive

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// fill gives every field of a struct a value of its own, so that one that a
// segment does not keep is missed.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(hour.Add(time.Duration(*n) * 1000003)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text-" + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64, reflect.Uint32:
		v.SetUint(uint64(*n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) / 1024)
	}
}

// Whatever a record has, its row gives back: also fields that are added later.
func TestEveryFieldComesBack(t *testing.T) {
	var a topics.Recognition
	n := 0
	fill(reflect.ValueOf(&a).Elem(), &n)
	a.End = a.Start.Add(time.Second)
	for i := range a.Views {
		a.Views[i].View, a.Labels[i].View = topics.ViewZoom, i
	}
	through(t, actionsCodec(), a)
	bare := action("lobby", hour, 0)
	bare.Epoch, bare.Tags, bare.Embedding, bare.First, bare.Last = time.Time{}, nil, nil, nil, nil
	through(t, actionsCodec(), bare)

	var alert topics.Alert
	fill(reflect.ValueOf(&alert).Elem(), &n)
	alert.State, alert.View = topics.AlertCleared, topics.ViewZoom
	through(t, alertsCodec(), alert)
	alert.Score, alert.Similarity = 0, 0
	through(t, alertsCodec(), alert)
	through(t, alertsCodec(), topics.Alert{ID: "a", Rule: "fall", State: topics.AlertRaised, Camera: "lobby", At: hour})
}

func through[T any](t *testing.T, c codec[T], v T) {
	t.Helper()
	b := bucket(t)
	n := Name{Topic: c.topic, Partition: 5, Hour: hour, From: 7, To: 9}
	want := Record[T]{Value: v, At: topics.RecordRef{Topic: "t." + string(c.topic), Partition: 5, Offset: 8}, Time: hour.Add(time.Minute)}
	content, _, err := c.encode(n, []Record[T]{want}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.put(t.Context(), n.Key(), content); err != nil {
		t.Fatal(err)
	}
	var got []Record[T]
	_, err = read(t.Context(), reader(t, ReaderOptions{Bucket: b}), c, Range{}, func(r Record[T]) error { got = append(got, r); return nil })
	if err != nil || len(got) != 1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
}

func TestTheSameRecordsGiveTheSameBytes(t *testing.T) {
	var records []Record[topics.Recognition]
	for i := range 500 {
		at := hour.Add(time.Duration(i) * time.Second)
		records = append(records, Record[topics.Recognition]{Value: action("lobby", at, 32), At: topics.RecordRef{Offset: int64(i)}, Time: at})
	}
	n := Name{Topic: topics.Actions, Hour: hour, From: 0, To: 500}
	one, _, err := actionsCodec().encode(n, records, 0)
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := actionsCodec().encode(n, records, 0)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("they differ: %v", err)
	}
}

// A model that gives way to one of another size loses no embedding.
func TestEmbeddingsOfTwoLengths(t *testing.T) {
	k, b := newKafka(1, "t.actions"), bucket(t)
	for i := range 10 {
		at := hour.Add(time.Duration(i) * time.Second)
		dims := 16
		if i >= 7 {
			dims = 24
		}
		k.add("t.actions", 0, at, encoded(t, action("lobby", at, dims)))
	}
	k.now = hour.Add(2 * time.Hour)
	archived(t, k, b, 0, -1, 10)
	lengths := map[int]int{}
	_, err := reader(t, ReaderOptions{Bucket: b}).Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
		lengths[len(r.Value.Embedding)]++
		return nil
	})
	if err != nil || lengths[16] != 7 || lengths[24] != 3 {
		t.Errorf("lengths %v, %v", lengths, err)
	}
}

func TestNames(t *testing.T) {
	n := Name{Topic: topics.Actions, Partition: 3, Hour: hour, From: 4096, To: 8192}
	if want := "actions/2026-11-28/p03/10h-00000000000000004096-00000000000000008192.parquet"; n.Key() != want {
		t.Errorf("key %s, want %s", n.Key(), want)
	}
	if got, ok := parseName(n.Key()); !ok || got != n {
		t.Errorf("parsed %+v %v", got, ok)
	}
	for _, key := range []string{"", "actions", "clips/2026-11-28/p03/10h-1-2.parquet", "actions/2026-11-28/p03/10h-1-2.parquet",
		n.Key() + ".1886.tmp", "actions/2026-11-28/p03/24h-00000000000000004096-00000000000000008192.parquet",
		"actions/2026-11-28/p03/10h-00000000000000008192-00000000000000008192.parquet"} {
		if got, ok := parseName(key); ok {
			t.Errorf("%q is taken for %+v", key, got)
		}
	}
}

// To pandas, a clear without a score has none; it has not the score 0.
func TestAMissingScoreIsNull(t *testing.T) {
	b := bucket(t)
	n := Name{Topic: topics.Alerts, Hour: hour, From: 0, To: 2}
	raised := topics.Alert{ID: "a", Rule: "fall", State: topics.AlertRaised, Camera: "lobby", Score: .9, At: hour}
	cleared := topics.Alert{ID: "a", Rule: "fall", State: topics.AlertCleared, Camera: "lobby", At: hour}
	content, _, err := alertsCodec().encode(n, []Record[topics.Alert]{{Value: raised, Time: hour}, {Value: cleared, At: topics.RecordRef{Offset: 1}, Time: hour}}, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	f, err := b.open(t.Context(), listed(t, b, topics.Alerts)[0])
	must(t, err)
	var there []bool
	must(t, f.rows(t.Context(), func(r *row) error {
		_, ok := r.value("score", parquet.Double)
		there = append(there, ok)
		return nil
	}))
	if !equal(there, []bool{true, false}) {
		t.Errorf("rows with a score: %v", there)
	}
}
