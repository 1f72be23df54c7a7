package archive

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/frostwatch/frostwatch/topics"
)

// lists are a column of byte arrays by row, used where they were fetched to as vectors
// are; nil where a row has none.
type lists struct{ rows [][]byte }

func (l *lists) take(f *file, chunk *format.ColumnChunk, leaf parquet.LeafColumn) error {
	return rawPages(f, chunk, leaf, func(p page) error {
		raw := p.raw
		for i := range p.rows {
			if p.missing != nil && p.missing[i] {
				l.rows = append(l.rows, nil)
				continue
			}
			if len(raw) < 4 || int64(binary.LittleEndian.Uint32(raw)) > int64(len(raw)-4) {
				return errTruncated
			}
			end := 4 + int(binary.LittleEndian.Uint32(raw))
			l.rows, raw = append(l.rows, raw[4:end:end]), raw[end:]
		}
		return nil
	})
}

// views are the columns of views of a segment that a scan needs.
type views struct {
	read              bool // the segment has views that are wanted
	places, labels    lists
	mean, first, last lists
	// byRow are those of the rows of a batch; nil: none has views. The others are its memory.
	byRow, free [][]View
	seen        []View
	placed      []topics.SeenView // of a row
	zones       lists             // none where the segment lacks the column
	refs        zoneRefs
}

func (v *views) all() []*lists {
	return []*lists{&v.places, &v.labels, &v.mean, &v.first, &v.last, &v.zones}
}

func (v *views) clear() {
	v.read, v.byRow = false, nil
	for _, l := range v.all() {
		l.rows = l.rows[:0]
	}
}

// list are the columns that were not read of the segment so far.
func (v *views) list(w wants) (out []column) {
	if !w.views {
		return nil
	}
	v.read = true
	if len(v.places.rows) == 0 {
		out = append(out, column{name: placesColumn, lists: &v.places}, column{name: zonesColumn, lists: &v.zones, optional: true})
	}
	if w.labels {
		out = append(out, column{name: labelViewsColumn, lists: &v.labels})
	}
	if w.vectors {
		out = append(out, column{name: "view_embedding", lists: &v.mean})
	}
	if w.ends {
		out = append(out, column{name: "view_embedding_first3", lists: &v.first}, column{name: "view_embedding_last3", lists: &v.last})
	}
	return out
}

// check checks what was read of n rows; of vectors of size bytes that each view but the
// first has one.
func (v *views) check(n, size int, w wants) error {
	if !w.views {
		return nil
	}
	if n := len(v.zones.rows); n != 0 && n != len(v.places.rows) {
		return fmt.Errorf("columns of views of %d and %d rows", n, len(v.places.rows))
	}
	if len(v.places.rows) != n || w.labels && len(v.labels.rows) != n || w.vectors && len(v.mean.rows) != n || w.ends && (len(v.first.rows) != n || len(v.last.rows) != n) {
		return fmt.Errorf("columns of views of %d, %d, %d, %d, %d and %d rows", n, len(v.places.rows), len(v.labels.rows), len(v.mean.rows), len(v.first.rows), len(v.last.rows))
	}
	for row := 0; w.vectors && row < n; row++ {
		if err := v.checkRow(row, size, w.ends); err != nil {
			return fmt.Errorf("views of row %d: %w", row, err)
		}
	}
	return nil
}

func (v *views) checkRow(row, size int, ends bool) error {
	var err error
	if v.placed, err = appendPlaces(v.placed[:0], v.places.rows[row]); err != nil {
		return err
	}
	want := max(len(v.placed)-1, 0) * size
	if len(v.mean.rows[row]) != want || ends && (len(v.first.rows[row]) != want || len(v.last.rows[row]) != want) {
		return fmt.Errorf("want %d bytes of vectors", want)
	}
	return nil
}

// begin begins a batch.
func (v *views) begin() { v.byRow, v.seen = nil, v.seen[:0] }

// add adds the views of a row of the segment that is row n of the batch. Vectors have
// size bytes.
func (v *views) add(n, row, size int, ends bool) error {
	var err error
	if v.placed, err = appendPlaces(v.placed[:0], v.places.rows[row]); err != nil || len(v.placed) == 0 {
		return err
	}
	if err := v.placeZones(v.placed, row); err != nil {
		return err
	}
	if v.byRow == nil {
		v.byRow = v.free[:0]
	}
	for len(v.byRow) <= n {
		v.byRow = append(v.byRow, nil)
	}
	begin := len(v.seen)
	for i, p := range v.placed {
		own := View{View: p.View, Box: p.Box, Zone: p.Zone, Logit: p.Logit}
		if i > 0 {
			of := func(l *lists) []byte { return l.rows[row][(i-1)*size : i*size] }
			if own.Mean = of(&v.mean); ends {
				own.First, own.Last = of(&v.first), of(&v.last)
			}
		}
		v.seen = append(v.seen, own)
	}
	v.byRow[n] = v.seen[begin:len(v.seen):len(v.seen)]
	return nil
}

// placeZones gives the views of a row their zones.
func (v *views) placeZones(views []topics.SeenView, row int) error {
	if len(v.zones.rows) == 0 || len(v.zones.rows[row]) == 0 {
		return nil
	}
	if v.refs == nil {
		v.refs = zoneRefs{}
	}
	return v.refs.place(views, v.zones.rows[row])
}

// end returns the views of a batch of n rows.
func (v *views) end(n int) [][]View {
	if v.byRow == nil {
		return nil
	}
	for len(v.byRow) < n {
		v.byRow = append(v.byRow, nil)
	}
	v.free = v.byRow
	return v.byRow
}

// see gives a record that has labels its views, in memory of the batch.
func (v *views) see(a *topics.Recognition, row int, memory *[]topics.SeenView) (err error) {
	begin := len(*memory)
	if *memory, err = appendPlaces(*memory, v.places.rows[row]); err != nil {
		return err
	}
	if err := v.placeZones((*memory)[begin:], row); err != nil {
		return err
	}
	if a.Views = nil; len(*memory) > begin {
		a.Views = (*memory)[begin:len(*memory):len(*memory)]
	}
	return placeLabels(a.Labels, v.labels.rows[row])
}

// hidesViews is whether the views of a segment may be in the column of the rest, as
// older versions put them: they put no label's values into columns then.
func (f *file) hidesViews() bool {
	leaf, values := f.file.Schema().Lookup(valuesColumn)
	if _, places := f.file.Schema().Lookup(placesColumn); places || !values {
		return false
	}
	for _, group := range f.file.Metadata().RowGroups {
		if leaf.ColumnIndex < len(group.Columns) && group.Columns[leaf.ColumnIndex].MetaData.Statistics.NullCount > 0 {
			return true
		}
	}
	return false
}
