package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
)

// columns are those of one segment that a scan needs. Their memory is used again for
// the next segment.
type columns struct {
	offsets, starts, ends []int64
	cameras, models       []string
	scales                []float64
	vectors               []byte // without those that are null
	missing               []bool // by row
	nulls                 int
	dims                  int
	rows                  []Row
	names                 map[string]string // one string for each camera and model
	asked                 map[string]bool   // whether a camera is
	memory                memory            // of what is fetched
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

var scanned = []string{offsetColumn, "start", "end", cameraColumn, "model_id", "logit_scale", "embedding"}

func (c *columns) read(ctx context.Context, f *file) error {
	extents, err := f.chunks(scanned...)
	if err != nil {
		return err
	}
	if err := f.fetch(ctx, extents...); err != nil {
		return err
	}
	c.offsets, c.starts, c.ends = c.offsets[:0], c.starts[:0], c.ends[:0]
	c.cameras, c.models, c.scales = c.cameras[:0], c.models[:0], c.scales[:0]
	c.vectors, c.missing, c.nulls, c.dims = c.vectors[:0], c.missing[:0], 0, f.Dims
	if c.names == nil {
		c.names, c.asked = map[string]string{}, map[string]bool{}
	}
	return f.guarded(func() error {
		for _, group := range f.file.RowGroups() {
			if err := c.group(f, group); err != nil {
				return err
			}
		}
		return c.check(f)
	})
}

func (c *columns) group(f *file, group parquet.RowGroup) error {
	chunks := group.ColumnChunks()
	for name, take := range map[string]func(parquet.Page) error{
		offsetColumn: func(p parquet.Page) error { return ints(p, &c.offsets) },
		"start":      func(p parquet.Page) error { return ints(p, &c.starts) },
		"end":        func(p parquet.Page) error { return ints(p, &c.ends) },
		cameraColumn: func(p parquet.Page) error { return c.texts(p, &c.cameras) },
		"model_id":   func(p parquet.Page) error { return c.texts(p, &c.models) },
		"logit_scale": func(p parquet.Page) error {
			return eachValue(p, func(v parquet.Value) { c.scales = append(c.scales, v.Double()) })
		},
		"embedding": c.embeddings,
	} {
		leaf, ok := f.file.Schema().Lookup(name)
		if !ok || leaf.ColumnIndex >= len(chunks) {
			return fmt.Errorf("column %s is missing", name)
		}
		if err := pages(chunks[leaf.ColumnIndex], take); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
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

func ints(p parquet.Page, to *[]int64) error {
	return eachValue(p, func(v parquet.Value) { *to = append(*to, v.Int64()) })
}

func (c *columns) texts(p parquet.Page, to *[]string) error {
	return eachValue(p, func(v parquet.Value) {
		raw := v.ByteArray()
		s, ok := c.names[string(raw)]
		if !ok {
			s = string(raw)
			c.names[s] = s
		}
		*to = append(*to, s)
	})
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

// embeddings copies a page's vectors, which are plain bytes.
func (c *columns) embeddings(p parquet.Page) error {
	nulls := int(p.NumNulls())
	c.nulls += nulls
	if nulls == 0 {
		for range p.NumValues() {
			c.missing = append(c.missing, false)
		}
	} else if err := eachValue(p, func(v parquet.Value) { c.missing = append(c.missing, v.IsNull()) }); err != nil {
		return err
	}
	data := p.Data()
	raw, size := data.FixedLenByteArray()
	if len(raw) > 0 && size != 2*c.dims {
		return fmt.Errorf("vectors of %d bytes, want %d", size, 2*c.dims)
	}
	c.vectors = append(c.vectors, raw...)
	return nil
}

func (c *columns) check(f *file) error {
	n := int(f.Rows)
	for _, have := range []int{len(c.offsets), len(c.starts), len(c.ends), len(c.cameras), len(c.models), len(c.scales), len(c.missing)} {
		if have != n {
			return fmt.Errorf("columns of %d and %d rows", have, n)
		}
	}
	if want := (n - c.nulls) * 2 * c.dims; len(c.vectors) != want {
		return fmt.Errorf("%d bytes of vectors, want %d", len(c.vectors), want)
	}
	return nil
}

// batch returns the rows of the range from an offset on. Their vectors are moved
// together in place.
func (c *columns) batch(g Range, from int64) Batch {
	c.rows = c.rows[:0]
	size, read, write := 2*c.dims, 0, 0
	for i, offset := range c.offsets {
		if c.missing[i] {
			continue
		}
		vector := c.vectors[read : read+size]
		read += size
		end := time.Unix(0, c.ends[i]).UTC()
		if offset < from || !g.time(end) || !c.wanted(g, c.cameras[i]) {
			continue
		}
		if write < read-size {
			copy(c.vectors[write:], vector)
		}
		write += size
		c.rows = append(c.rows, Row{
			Camera: c.cameras[i], Start: time.Unix(0, c.starts[i]).UTC(), End: end,
			Model: c.models[i], LogitScale: c.scales[i], Offset: offset,
		})
	}
	return Batch{Dims: c.dims, Embeddings: c.vectors[:write], Rows: c.rows}
}
