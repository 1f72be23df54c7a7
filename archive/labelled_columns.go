package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// labelled are the columns of a segment that rules need beside those of every scan.
type labelled struct {
	clips                        []string
	tags, vocabularies, versions []string
	// values are those of all rows, one after the other, ends where those of each end.
	values []byte
	ends   []int
	fresh  []dictionaryRow
	// incomplete: the labels of some rows are in the JSON alone.
	incomplete     bool
	dictionary     dictionary
	heads          map[string]*head // by camera
	dictionaryRows int
	// embedded: the vectors are read; mean, first and last are then those of each row,
	// and floats the memory of those of a batch.
	embedded          bool
	mean, first, last [][]byte
	floats            []float32
	used              int // of floats
	// The memory of a batch.
	records    []Record[topics.Recognition]
	rows       []int
	scores     []topics.LabelScore
	references []topics.References
	seen       []topics.SeenView
}

// dictionaryRow is what a row adds to the dictionary.
type dictionaryRow struct {
	row int
	raw []byte
}

func (l *labelled) list(c *columns) []column {
	return []column{
		{name: "clip_id", take: func(p parquet.Page) error { return l.ids(p) }},
		{name: "camera_tags", take: func(p parquet.Page) error { return c.texts(p, &l.tags) }},
		{name: "vocabulary", take: func(p parquet.Page) error { return c.texts(p, &l.vocabularies) }},
		{name: "vocabulary_version", take: func(p parquet.Page) error { return c.texts(p, &l.versions) }},
		{name: valuesColumn, take: l.takeValues},
		{name: dictionaryColumn, take: l.takeDictionary, optional: true},
	}
}

func (l *labelled) clear() {
	l.clips, l.tags, l.vocabularies, l.versions = l.clips[:0], l.tags[:0], l.vocabularies[:0], l.versions[:0]
	l.values, l.ends, l.fresh = l.values[:0], l.ends[:0], l.fresh[:0]
	l.dictionary.clear()
	l.incomplete, l.embedded, l.dictionaryRows = false, false, 0
	if l.heads == nil || len(l.heads) > maxHeads {
		l.heads = map[string]*head{}
	}
}

func (l *labelled) check(n int) error {
	for _, have := range []int{len(l.clips), len(l.tags), len(l.vocabularies), len(l.versions), len(l.ends)} {
		if have != n {
			return fmt.Errorf("columns of %d and %d rows", have, n)
		}
	}
	return nil
}

// ids appends a page's clip ids: parts of one string.
func (l *labelled) ids(p parquet.Page) error {
	if p.Dictionary() != nil || len(p.DefinitionLevels()) > 0 {
		return eachValue(p, func(v parquet.Value) { l.clips = append(l.clips, string(v.ByteArray())) })
	}
	values := p.Data()
	data, offsets := values.ByteArray()
	all := string(data)
	for i := 1; i < len(offsets); i++ {
		l.clips = append(l.clips, all[offsets[i-1]:offsets[i]])
	}
	return nil
}

func (l *labelled) takeValues(p parquet.Page) error {
	levels := p.DefinitionLevels()
	values := p.Data()
	data, offsets := values.ByteArray()
	for _, level := range levels {
		l.incomplete = l.incomplete || level == 0
	}
	if l.incomplete || len(offsets) == 0 {
		l.incomplete = true
		for range max(len(levels), len(offsets)-1) {
			l.ends = append(l.ends, len(l.values))
		}
		return nil
	}
	begin := len(l.values)
	l.values = append(l.values, data[offsets[0]:offsets[len(offsets)-1]]...)
	for _, end := range offsets[1:] {
		l.ends = append(l.ends, begin+int(end-offsets[0]))
	}
	return nil
}

// takeDictionary takes what is not null of a page.
func (l *labelled) takeDictionary(p parquet.Page) error {
	values := p.Data()
	data, offsets := values.ByteArray()
	for _, level := range p.DefinitionLevels() {
		if level > 0 {
			if len(offsets) < 2 {
				return errFewer
			}
			l.fresh = append(l.fresh, dictionaryRow{l.dictionaryRows, bytes.Clone(data[offsets[0]:offsets[1]])})
			offsets = offsets[1:]
		}
		l.dictionaryRows++
	}
	return nil
}

// embed gives the records of a batch their embeddings. rows are the records' in the
// segment.
func (c *columns) embed(ctx context.Context, f *file, ends bool, rows []int, records []Record[topics.Recognition]) error {
	l := &c.labels
	if !l.embedded {
		w := wants{vectors: true, ends: ends, views: c.views.read}
		if err := c.take(ctx, f, append(c.listVectors(w), c.views.list(w)...)); err != nil {
			return err
		}
		if err := f.guarded(func() error {
			return errors.Join(c.checkVectors(int(f.Rows), w), c.views.check(int(f.Rows), 2*c.dims, w))
		}); err != nil {
			return err
		}
		l.mean, l.first, l.last = c.vectors.each(l.mean[:0], 2*c.dims), c.first.each(l.first[:0], 2*c.dims), c.last.each(l.last[:0], 2*c.dims)
		l.embedded = true
	}
	l.used = 0
	for i := range records {
		row, a := rows[i], &records[i].Value
		a.Embedding = l.vector(l.mean[row], len(rows))
		if ends {
			a.First, a.Last = l.vector(l.first[row], len(rows)), l.vector(l.last[row], len(rows))
		}
		c.embedViews(a.Views, row, len(rows), ends)
	}
	return nil
}

// embedViews gives the views of a row, one of a batch of n, their embeddings.
func (c *columns) embedViews(views []topics.SeenView, row, n int, ends bool) {
	for i := 1; i < len(views); i++ {
		of := func(l *lists) topics.Float16Vector {
			size := 2 * c.dims
			return c.labels.vector(l.rows[row][(i-1)*size:i*size], n)
		}
		if views[i].Embedding = of(&c.views.mean); ends {
			views[i].First, views[i].Last = of(&c.views.first), of(&c.views.last)
		}
	}
}

// vector is one of n records, in memory of the batch; a record has three, and three of
// each of its further views.
func (l *labelled) vector(raw []byte, n int) topics.Float16Vector {
	if len(raw) == 0 {
		return nil
	}
	// Vectors that are aligned alike have dot products that are the same to the last bit.
	size := len(raw) / 2
	apart := (size + 15) / 16 * 16
	if l.used+apart > len(l.floats) {
		l.floats, l.used = make([]float32, max(3*apart*n, 2*len(l.floats))), 0
	}
	v := l.floats[l.used : l.used+size : l.used+size]
	l.used += apart
	topics.ReadFloat16(v, raw)
	return v
}
