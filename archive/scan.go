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

// Batch is recognitions of one partition without what only some readers need:
// their embeddings stand behind each other as they lie in the file.
type Batch struct {
	Partition int
	Dims      int
	// Embeddings are float16, little endian: row i has the bytes from 2·Dims·i on.
	Embeddings []byte
	Rows       []Row
}

// Row is what belongs to one embedding.
type Row struct {
	Camera     string
	Start, End time.Time // of the window
	Model      string
	LogitScale float64 // 0: of a record of an older version
	Offset     int64   // on the topic of actions
}

// tailBatch is how many recognitions of Kafka make a batch.
const tailBatch = 512

// Scan calls fn for the recognitions of a range that have embeddings, some
// thousand at a time, at the speed of the disk: labels are neither fetched nor
// decoded. Up to Parallel calls run at once, each of another partition; those of
// one partition come in their order, and a batch is valid during its call. fn may
// return ErrStop.
func (r *Reader) Scan(ctx context.Context, g Range, fn func(Batch) error) (Counts, error) {
	s := &scan{fn: fn, tails: map[int][]Record[topics.Recognition]{}}
	s.pass = newPass(r, actionsCodec(), g, s.collect)
	err := s.run(ctx, func(ctx context.Context, partition int, segments []Segment) error {
		own := &columns{}
		err := s.partition(ctx, partition, segments, func(ctx context.Context, seg Segment, from int64) (int64, error) {
			// What lies before it on Kafka comes first.
			if err := s.locked(ctx, func() error { return s.flush(partition) }); err != nil {
				return from, err
			}
			return s.segment(ctx, seg, from, own)
		})
		if err != nil {
			return err
		}
		return s.locked(ctx, func() error { return s.flush(partition) })
	})
	return s.counts, err
}

type scan struct {
	*pass[topics.Recognition]
	fn    func(Batch) error
	tails map[int][]Record[topics.Recognition] // of Kafka, by partition
}

// call gives a batch out.
func (s *scan) call(b Batch) error {
	if len(b.Rows) == 0 {
		return nil
	}
	if err := s.fn(b); !errors.Is(err, ErrStop) {
		return err
	}
	return errStopped
}

// collect takes a record of Kafka; it is called by one reader at a time.
func (s *scan) collect(r Record[topics.Recognition]) error {
	p := r.At.Partition
	if len(r.Value.Embedding) == 0 {
		return nil
	}
	if t := s.tails[p]; len(t) > 0 && (len(t) == tailBatch || len(t[0].Value.Embedding) != len(r.Value.Embedding)) {
		if err := s.flush(p); err != nil {
			return err
		}
	}
	s.tails[p] = append(s.tails[p], r)
	return nil
}

// flush gives out what was collected of a partition.
func (s *scan) flush(partition int) error {
	b := Batch{Partition: partition}
	for _, r := range s.tails[partition] {
		a := r.Value
		b.Dims = len(a.Embedding)
		b.Embeddings = topics.AppendFloat16(b.Embeddings, a.Embedding)
		b.Rows = append(b.Rows, Row{Camera: a.Camera, Start: a.Start, End: a.End, Model: a.Model, LogitScale: a.LogitScale, Offset: r.At.Offset})
	}
	s.tails[partition] = s.tails[partition][:0]
	return s.call(b)
}

// segment gives out one segment's rows as a batch.
func (s *scan) segment(ctx context.Context, seg Segment, from int64, own *columns) (int64, error) {
	own.memory.used = 0
	f, err := s.Bucket.openIn(ctx, seg, &own.memory)
	if err != nil {
		return s.broken(ctx, from, err)
	}
	if !s.asked.meets(f.Meta) {
		return s.read(ctx, f, seg.To, nil)
	}
	if f.Odd > 0 {
		// Around a change of the model its rows are read as whole records.
		return s.whole(ctx, f, from)
	}
	if err := own.read(ctx, f); err != nil {
		return s.read(ctx, f, from, err)
	}
	b := own.batch(s.asked, from)
	b.Partition = seg.Partition
	if err := s.call(b); err != nil {
		return from, err
	}
	if err := s.locked(ctx, func() error {
		s.counts.Records += int(f.Rows)
		s.counts.Given += len(b.Rows)
		return nil
	}); err != nil {
		return from, err
	}
	return s.read(ctx, f, seg.To, nil)
}

// columns are those of one segment that a scan needs; their memory serves the
// next segment.
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
	err = guard(func() error {
		for _, group := range f.file.RowGroups() {
			if err := c.group(f, group); err != nil {
				return err
			}
		}
		return c.check(f)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w: %w", f.Key(), errBroken, err)
	}
	return nil
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

// embeddings copies a page's vectors, which lie in it as they are.
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

// batch is the rows of the range at offsets not below from. Vectors of others
// are pushed out of the way where they lie.
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
