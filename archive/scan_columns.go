package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// columns are those of one segment that a scan needs. Their memory is used again for
// the next segment.
type columns struct {
	offsets, times          []int64
	starts, ends            []int64
	epochs, sequences       []int64
	noEpoch                 []bool
	cameras, models, hashes []string
	scales, logits          []float64
	vectors                 vectors
	first, last             vectors // empty unless they are asked for
	views                   views   // likewise
	dims                    int
	rows                    []Row
	labels                  labelled
	words                   []string          // of the page that is read
	names                   map[string]string // one string for each camera, model and hash
	asked                   map[string]bool   // whether a camera is
	memory                  memory            // of what is fetched
}

// wants are what of a segment is read beside what every scan needs; views: with vectors
// those of views, with labels where they are.
type wants struct{ vectors, ends, labels, views bool }

// freeColumns keep the memory of columns for the next partition of a scan.
type freeColumns chan *columns

func (f freeColumns) take() *columns {
	select {
	case c := <-f:
		return c
	default:
		return &columns{}
	}
}

func (f freeColumns) put(c *columns) {
	select {
	case f <- c:
	default:
	}
}

func (c *columns) wanted(g Range, camera string) bool {
	if len(g.Cameras) == 0 {
		return true
	}
	want, ok := c.asked[camera]
	if !ok {
		want = g.camera(camera)
		c.asked[camera] = want
	}
	return want
}

// column is one that a scan reads.
type column struct {
	name string
	// One of the three: take is called for each page, and vectors and lists are not copied.
	take    func(parquet.Page) error
	vectors *vectors
	lists   *lists
	// optional: segments of older versions do not have it.
	optional bool
}

func (c *columns) list(w wants) []column {
	out := []column{
		{name: offsetColumn, take: func(p parquet.Page) error { return wholes(p, &c.offsets, nil) }},
		{name: timeColumn, take: func(p parquet.Page) error { return wholes(p, &c.times, nil) }},
		{name: "epoch", take: func(p parquet.Page) error { return wholes(p, &c.epochs, &c.noEpoch) }},
		{name: "sequence", take: func(p parquet.Page) error { return wholes(p, &c.sequences, nil) }},
		{name: "start", take: func(p parquet.Page) error { return wholes(p, &c.starts, nil) }},
		{name: "end", take: func(p parquet.Page) error { return wholes(p, &c.ends, nil) }},
		{name: cameraColumn, take: func(p parquet.Page) error { return c.texts(p, &c.cameras) }},
		{name: "model_id", take: func(p parquet.Page) error { return c.texts(p, &c.models) }},
		{name: "logit_scale", take: func(p parquet.Page) error { return numbers(p, &c.scales) }},
		{name: "references_hash", take: func(p parquet.Page) error { return c.texts(p, &c.hashes) }, optional: true},
		{name: "references_logit", take: func(p parquet.Page) error { return numbers(p, &c.logits) }, optional: true},
	}
	if w.labels {
		out = append(out, c.labels.list(c)...)
	}
	return append(append(out, c.listVectors(w)...), c.views.list(w)...)
}

func (c *columns) listVectors(w wants) (out []column) {
	if w.vectors {
		out = append(out, column{name: "embedding", vectors: &c.vectors})
	}
	if w.ends {
		out = append(out, column{name: "embedding_first3", vectors: &c.first}, column{name: "embedding_last3", vectors: &c.last})
	}
	return out
}

func (c *columns) read(ctx context.Context, f *file, w wants) error {
	c.clear(f.Dims)
	if err := c.take(ctx, f, c.list(w)); err != nil {
		return err
	}
	return f.guarded(func() error { return c.check(f, w) })
}

// take fetches columns and reads them.
func (c *columns) take(ctx context.Context, f *file, all []column) error {
	names, wanted := make([]string, len(all)), map[string]bool{}
	for i, column := range all {
		names[i], wanted[column.name] = column.name, true
	}
	extents, err := f.chunks(names...)
	if err != nil {
		return err
	}
	if err := f.fetch(ctx, extents...); err != nil {
		return err
	}
	return f.guarded(func() error {
		if err := f.checkPages(wanted); err != nil {
			return err
		}
		for i, group := range f.file.RowGroups() {
			if err := c.group(f, group, &f.file.Metadata().RowGroups[i], all); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *columns) clear(dims int) {
	c.times = c.times[:0]
	c.offsets, c.starts, c.ends, c.epochs, c.sequences = c.offsets[:0], c.starts[:0], c.ends[:0], c.epochs[:0], c.sequences[:0]
	c.cameras, c.models, c.hashes = c.cameras[:0], c.models[:0], c.hashes[:0]
	c.scales, c.logits, c.noEpoch = c.scales[:0], c.logits[:0], c.noEpoch[:0]
	c.dims = dims
	c.labels.clear()
	c.views.clear()
	for _, v := range []*vectors{&c.vectors, &c.first, &c.last} {
		v.clear()
	}
	if c.names == nil {
		c.names, c.asked = map[string]string{}, map[string]bool{}
	}
}

func (c *columns) group(f *file, group parquet.RowGroup, meta *format.RowGroup, all []column) error {
	chunks := group.ColumnChunks()
	for _, column := range all {
		leaf, ok := f.file.Schema().Lookup(column.name)
		if !ok && column.optional {
			continue
		}
		if !ok || leaf.ColumnIndex >= len(chunks) || leaf.ColumnIndex >= len(meta.Columns) {
			return fmt.Errorf("column %s is missing", column.name)
		}
		var err error
		switch {
		case column.vectors != nil:
			err = column.vectors.take(f, &meta.Columns[leaf.ColumnIndex], leaf, c.dims)
		case column.lists != nil:
			err = column.lists.take(f, &meta.Columns[leaf.ColumnIndex], leaf)
		default:
			err = pages(chunks[leaf.ColumnIndex], column.take)
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", column.name, err)
		}
	}
	return nil
}

func pages(chunk parquet.ColumnChunk, take func(parquet.Page) error) error {
	all := chunk.Pages()
	defer func() { _ = all.Close() }()
	for {
		p, err := all.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = take(p)
		parquet.Release(p)
		if err != nil {
			return err
		}
	}
}

var errFewer = errors.New("fewer values than rows")

// spread appends a page's values to a column, with a zero for each null. nulls, if it
// is not nil, gets for each row whether it is one.
func spread[T any](p parquet.Page, values []T, to *[]T, nulls *[]bool) error {
	levels := p.DefinitionLevels() // of an optional column: 0 is null
	if len(levels) == 0 {
		*to = append(*to, values...)
		for range values {
			appendTo(nulls, false)
		}
		return nil
	}
	var zero T
	for _, level := range levels {
		value := zero
		if level > 0 {
			if len(values) == 0 {
				return errFewer
			}
			value, values = values[0], values[1:]
		}
		*to = append(*to, value)
		appendTo(nulls, level == 0)
	}
	return nil
}

func appendTo(list *[]bool, v bool) {
	if list != nil {
		*list = append(*list, v)
	}
}

func wholes(p parquet.Page, to *[]int64, nulls *[]bool) error {
	data := p.Data()
	return spread(p, data.Int64(), to, nulls)
}

func numbers(p parquet.Page, to *[]float64) error {
	data := p.Data()
	return spread(p, data.Double(), to, nil)
}

// texts appends a page's texts, each distinct one as the same string. They are
// indexes into a dictionary unless there are too many distinct ones for that.
func (c *columns) texts(p parquet.Page, to *[]string) error {
	dictionary := p.Dictionary()
	if dictionary == nil {
		return eachValue(p, func(v parquet.Value) { *to = append(*to, c.name(v.ByteArray())) })
	}
	c.words = c.words[:0]
	for i := range dictionary.Len() {
		c.words = append(c.words, c.name(dictionary.Index(int32(i)).ByteArray()))
	}
	data := p.Data()
	indexes, levels := data.Int32(), p.DefinitionLevels()
	if len(levels) == 0 {
		for _, index := range indexes {
			*to = append(*to, c.words[index])
		}
		return nil
	}
	for _, level := range levels {
		word := ""
		if level > 0 {
			if len(indexes) == 0 {
				return errFewer
			}
			word, indexes = c.words[indexes[0]], indexes[1:]
		}
		*to = append(*to, word)
	}
	return nil
}

func (c *columns) name(raw []byte) string {
	s, ok := c.names[string(raw)]
	if !ok {
		s = string(raw)
		c.names[s] = s
	}
	return s
}

func eachValue(p parquet.Page, take func(parquet.Value)) error {
	var buffer [128]parquet.Value
	for r := p.Values(); ; {
		n, err := r.ReadValues(buffer[:])
		for _, v := range buffer[:n] {
			take(v)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *columns) check(f *file, w wants) error {
	n := int(f.Rows)
	if w.labels {
		if err := c.labels.check(n); err != nil {
			return err
		}
	}
	for _, have := range []int{
		len(c.offsets), len(c.times), len(c.starts), len(c.ends), len(c.epochs), len(c.noEpoch), len(c.sequences),
		len(c.cameras), len(c.models), len(c.scales),
	} {
		if have != n {
			return fmt.Errorf("columns of %d and %d rows", have, n)
		}
	}
	if h, l := len(c.hashes), len(c.logits); h != l || h != 0 && h != n {
		return fmt.Errorf("columns of %d, %d and %d rows", h, l, n)
	}
	return errors.Join(c.checkVectors(n, w), c.views.check(n, 2*c.dims, w))
}

func (c *columns) checkVectors(n int, w wants) error {
	if w.vectors && c.vectors.rows != n || w.ends && (c.first.rows != n || c.last.rows != n) {
		return fmt.Errorf("columns of %d, %d, %d and %d rows", n, c.vectors.rows, c.first.rows, c.last.rows)
	}
	return nil
}
