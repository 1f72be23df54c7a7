package archive

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// The views of a recognition have columns of their own, which are null where it names
// none. In the column of places each view has placeSize bytes, little endian: its number
// in viewKinds (uint8), its box as left, top, width and height, and References.Logit
// (float64 each; 0 for the first view, whose logit is the record's). In the other three
// the vectors of all views but the first follow each other, as float16. Which view a
// label's values are of is a byte for each label in labelViewsColumn, null where all are
// of the first. Which zone a view was drawn for is in zonesColumn (zones.go). Readers of
// older versions take a recognition for one without views.
const (
	placesColumn     = "view_places"
	labelViewsColumn = "label_views"
	placeSize        = 1 + 4*8 + 8
)

// viewVectors are the columns of the vectors, and which of a view's are in each.
func viewVectors() []viewVector {
	return []viewVector{
		{"view_embedding", func(v *topics.SeenView) *topics.Float16Vector { return &v.Embedding }},
		{"view_embedding_first3", func(v *topics.SeenView) *topics.Float16Vector { return &v.First }},
		{"view_embedding_last3", func(v *topics.SeenView) *topics.Float16Vector { return &v.Last }},
	}
}

type viewVector struct {
	column string
	of     func(*topics.SeenView) *topics.Float16Vector
}

// viewKinds are views by their numbers in segments, which never change.
func viewKinds() [4]topics.View {
	return [...]topics.View{topics.ViewCentre, topics.ViewTiles, topics.ViewSquash, topics.ViewZoom}
}

// viewNumber is that of a view, -1 of one that segments don't know.
func viewNumber(v topics.View) int {
	all := viewKinds()
	return slices.Index(all[:], v)
}

func viewColumns() parquet.Group {
	group := parquet.Group{}
	for _, name := range viewColumnNames() {
		group[name] = parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.ByteArrayType), &parquet.Plain))
	}
	return group
}

func viewColumnNames() []string {
	names := []string{placesColumn, labelViewsColumn, zonesColumn}
	for _, v := range viewVectors() {
		names = append(names, v.column)
	}
	return names
}

// viewsFit is whether a recognition's views fit into the columns: as infer writes them
// they do, if its embeddings have the segment's length. There may be none.
func viewsFit(a *topics.Recognition, dims int) bool {
	for i := range a.Views {
		v := &a.Views[i]
		if viewNumber(v.View) < 0 || i == 0 && v.Logit != 0 || !zoneFits(v.Zone) {
			return false
		}
		want := dims
		if i == 0 {
			want = 0
		}
		for _, c := range viewVectors() {
			if len(*c.of(v)) != want {
				return false
			}
		}
	}
	return len(a.Views) <= math.MaxUint8 && (dims > 0 || len(a.Views) < 2)
}

// putViews puts views that fit into a row, and which of them labels are of; neither with
// a recognition that names none.
func putViews(r *row, views []topics.SeenView, labels []topics.LabelScore) {
	for _, name := range viewColumnNames() {
		r.set(name, parquet.NullValue())
	}
	if len(views) == 0 {
		return
	}
	var places []byte
	for i := range views {
		places = appendPlace(places, &views[i])
	}
	r.set(placesColumn, parquet.ByteArrayValue(places))
	if zones := appendZones(nil, views); len(zones) > 0 {
		r.set(zonesColumn, parquet.ByteArrayValue(zones))
	}
	if len(views) > 1 {
		for _, c := range viewVectors() {
			var all []byte
			for i := range views[1:] {
				all = topics.AppendFloat16(all, *c.of(&views[i+1]))
			}
			r.set(c.column, parquet.ByteArrayValue(all))
		}
	}
	if !slices.ContainsFunc(labels, func(l topics.LabelScore) bool { return l.View > 0 }) {
		return
	}
	of := make([]byte, len(labels))
	for i, l := range labels {
		of[i] = byte(l.View)
	}
	r.set(labelViewsColumn, parquet.ByteArrayValue(of))
}

func appendPlace(to []byte, v *topics.SeenView) []byte {
	to = append(to, byte(viewNumber(v.View)))
	for _, f := range []float64{v.Box.Left, v.Box.Top, v.Box.Width, v.Box.Height, v.Logit} {
		to = binary.LittleEndian.AppendUint64(to, math.Float64bits(f))
	}
	return to
}

// appendPlaces appends the views of a row, without vectors.
func appendPlaces(to []topics.SeenView, places []byte) ([]topics.SeenView, error) {
	if len(places)%placeSize != 0 {
		return to, fmt.Errorf("column %s: %d bytes", placesColumn, len(places))
	}
	names := viewKinds()
	for ; len(places) > 0; places = places[placeSize:] {
		place := places[:placeSize:placeSize]
		if int(place[0]) >= len(names) {
			return to, fmt.Errorf("column %s: view %d of %d", placesColumn, place[0], len(names))
		}
		number := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(place[1+8*i:])) }
		to = append(to, topics.SeenView{
			View: names[place[0]], Box: topics.Box{Left: number(0), Top: number(1), Width: number(2), Height: number(3)}, Logit: number(4),
		})
	}
	return to, nil
}

// placeLabels says of a row's labels which view they are of. of may be empty.
func placeLabels(labels []topics.LabelScore, of []byte) error {
	if len(of) == 0 {
		return nil
	}
	if len(of) != len(labels) {
		return fmt.Errorf("column %s: %d bytes for %d labels", labelViewsColumn, len(of), len(labels))
	}
	for i := range labels {
		labels[i].View = int(of[i])
	}
	return nil
}

// views are the row's, with vectors; nil where it has no column with them.
func (r *row) views() (out []topics.SeenView, err error) {
	if out, err = appendPlaces(nil, r.bytes(placesColumn, parquet.ByteArray)); err != nil || len(out) < 2 {
		return out, err
	}
	if err := (zoneRefs{}).place(out, r.bytes(zonesColumn, parquet.ByteArray)); err != nil {
		return out, err
	}
	for _, c := range viewVectors() {
		raw := r.bytes(c.column, parquet.ByteArray)
		size, err := sizeOf(raw, len(out)-1)
		if err != nil {
			return out, fmt.Errorf("column %s: %w", c.column, err)
		}
		for i := range out[1:] {
			if size > 0 {
				*c.of(&out[i+1]) = topics.Float16s(raw[i*size : (i+1)*size])
			}
		}
	}
	return out, nil
}

// sizeOf is how many bytes each of n vectors has.
func sizeOf(raw []byte, n int) (int, error) {
	if len(raw)%(2*n) != 0 {
		return 0, fmt.Errorf("%d bytes of %d vectors", len(raw), n)
	}
	return len(raw) / n, nil
}
