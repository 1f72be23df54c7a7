package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
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
	dims                    int
	rows                    []Row
	names                   map[string]string // one string for each camera, model and hash
	asked                   map[string]bool   // whether a camera is
	memory                  memory            // of what is fetched
}

// vectors are a column of vectors, which are plain bytes.
type vectors struct {
	raw     []byte // without those that are null
	missing []bool // by row
	nulls   int
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
	take func(parquet.Page) error
	// optional: segments of older versions do not have it.
	optional bool
}

func (c *columns) list(ends bool) []column {
	out := []column{
		{offsetColumn, func(p parquet.Page) error { return wholes(p, &c.offsets, nil) }, false},
		{timeColumn, func(p parquet.Page) error { return wholes(p, &c.times, nil) }, false},
		{"epoch", func(p parquet.Page) error { return wholes(p, &c.epochs, &c.noEpoch) }, false},
		{"sequence", func(p parquet.Page) error { return wholes(p, &c.sequences, nil) }, false},
		{"start", func(p parquet.Page) error { return wholes(p, &c.starts, nil) }, false},
		{"end", func(p parquet.Page) error { return wholes(p, &c.ends, nil) }, false},
		{cameraColumn, func(p parquet.Page) error { return c.texts(p, &c.cameras) }, false},
		{"model_id", func(p parquet.Page) error { return c.texts(p, &c.models) }, false},
		{"logit_scale", func(p parquet.Page) error { return numbers(p, &c.scales) }, false},
		{"references_hash", func(p parquet.Page) error { return c.texts(p, &c.hashes) }, true},
		{"references_logit", func(p parquet.Page) error { return numbers(p, &c.logits) }, true},
		{"embedding", func(p parquet.Page) error { return c.vectors.add(p, c.dims) }, false},
	}
	if ends {
		out = append(out,
			column{"embedding_first3", func(p parquet.Page) error { return c.first.add(p, c.dims) }, false},
			column{"embedding_last3", func(p parquet.Page) error { return c.last.add(p, c.dims) }, false})
	}
	return out
}

func (c *columns) read(ctx context.Context, f *file, ends bool) error {
	all := c.list(ends)
	names := make([]string, len(all))
	for i, column := range all {
		names[i] = column.name
	}
	extents, err := f.chunks(names...)
	if err != nil {
		return err
	}
	if err := f.fetch(ctx, extents...); err != nil {
		return err
	}
	c.clear(f.Dims)
	return f.guarded(func() error {
		for _, group := range f.file.RowGroups() {
			if err := c.group(f, group, all); err != nil {
				return err
			}
		}
		return c.check(f)
	})
}

func (c *columns) clear(dims int) {
	c.times = c.times[:0]
	c.offsets, c.starts, c.ends, c.epochs, c.sequences = c.offsets[:0], c.starts[:0], c.ends[:0], c.epochs[:0], c.sequences[:0]
	c.cameras, c.models, c.hashes = c.cameras[:0], c.models[:0], c.hashes[:0]
	c.scales, c.logits, c.noEpoch = c.scales[:0], c.logits[:0], c.noEpoch[:0]
	c.dims = dims
	for _, v := range []*vectors{&c.vectors, &c.first, &c.last} {
		v.raw, v.missing, v.nulls = v.raw[:0], v.missing[:0], 0
	}
	if c.names == nil {
		c.names, c.asked = map[string]string{}, map[string]bool{}
	}
}

func (c *columns) group(f *file, group parquet.RowGroup, all []column) error {
	chunks := group.ColumnChunks()
	for _, column := range all {
		leaf, ok := f.file.Schema().Lookup(column.name)
		if !ok && column.optional {
			continue
		}
		if !ok || leaf.ColumnIndex >= len(chunks) {
			return fmt.Errorf("column %s is missing", column.name)
		}
		if err := pages(chunks[leaf.ColumnIndex], column.take); err != nil {
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
				return errors.New("fewer values than rows")
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
	words := make([]string, dictionary.Len())
	for i := range words {
		words[i] = c.name(dictionary.Index(int32(i)).ByteArray())
	}
	data := p.Data()
	indexes := data.Int32()
	values := make([]string, len(indexes))
	for i, index := range indexes {
		values[i] = words[index]
	}
	return spread(p, values, to, nil)
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

// add copies a page's vectors, of dims values each.
func (v *vectors) add(p parquet.Page, dims int) error {
	levels := p.DefinitionLevels()
	for _, level := range levels {
		v.missing = append(v.missing, level == 0)
		if level == 0 {
			v.nulls++
		}
	}
	if len(levels) == 0 {
		for range p.NumValues() {
			v.missing = append(v.missing, false)
		}
	}
	data := p.Data()
	raw, size := data.FixedLenByteArray()
	if len(raw) > 0 && size != 2*dims {
		return fmt.Errorf("vectors of %d bytes, want %d", size, 2*dims)
	}
	v.raw = append(v.raw, raw...)
	return nil
}

func (v *vectors) check(rows, dims int) error {
	if len(v.missing) != rows {
		return fmt.Errorf("columns of %d and %d rows", len(v.missing), rows)
	}
	if want := (rows - v.nulls) * 2 * dims; len(v.raw) != want {
		return fmt.Errorf("%d bytes of vectors, want %d", len(v.raw), want)
	}
	return nil
}

// spread returns the vectors of all rows, of zeros for those that are null.
func (v *vectors) spread(size int) []byte {
	if v.nulls == 0 {
		return v.raw
	}
	out, read := make([]byte, 0, size*len(v.missing)), 0
	for _, missing := range v.missing {
		if missing {
			out = append(out, make([]byte, size)...)
			continue
		}
		out = append(out, v.raw[read:read+size]...)
		read += size
	}
	return out
}

func (c *columns) check(f *file) error {
	n := int(f.Rows)
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
	if err := c.vectors.check(n, c.dims); err != nil || len(c.first.missing)+len(c.last.missing) == 0 {
		return err
	}
	return errors.Join(c.first.check(n, c.dims), c.last.check(n, c.dims))
}

// batch returns the rows of the range from an offset on. Their vectors are moved
// together in place.
func (c *columns) batch(g Range, from int64) Batch {
	c.rows = c.rows[:0]
	size, read, write := 2*c.dims, 0, 0
	vectors := c.vectors.raw
	first, last := c.first.spread(size), c.last.spread(size)
	for i, offset := range c.offsets {
		if c.vectors.missing[i] {
			continue
		}
		vector := vectors[read : read+size]
		read += size
		end := time.Unix(0, c.ends[i]).UTC()
		if offset < from || !g.time(end) || !c.wanted(g, c.cameras[i]) {
			continue
		}
		if write < read-size {
			copy(vectors[write:], vector)
		}
		if g.Ends {
			copy(first[write:], first[i*size:(i+1)*size])
			copy(last[write:], last[i*size:(i+1)*size])
		}
		write += size
		c.rows = append(c.rows, c.row(i, end))
	}
	b := Batch{Dims: c.dims, Embeddings: vectors[:write], Rows: c.rows}
	if g.Ends {
		b.First, b.Last = first[:write], last[:write]
	}
	return b
}

func (c *columns) row(i int, end time.Time) Row {
	row := Row{
		Camera: c.cameras[i], Sequence: uint64(c.sequences[i]), Start: time.Unix(0, c.starts[i]).UTC(), End: end,
		Model: c.models[i], LogitScale: c.scales[i], Offset: c.offsets[i], Time: time.Unix(0, c.times[i]).UTC(),
	}
	if !c.noEpoch[i] {
		row.Epoch = time.Unix(0, c.epochs[i]).UTC()
	}
	if len(c.hashes) > 0 {
		row.References = topics.References{Hash: c.hashes[i], Logit: c.logits[i]}
	}
	return row
}
