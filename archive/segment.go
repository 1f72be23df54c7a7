package archive

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"
)

const (
	metaKey = "frostwatch"
	// maxFooter and maxSegment bound what a file of a stranger makes a reader
	// allocate: ours are far below.
	maxFooter  = 8 << 20
	maxSegment = 512 << 20
	// footerGuess is read at once from a file's end: most footers lie in it.
	footerGuess = 32 << 10
	// maxNamed cameras or models are named in a footer; beyond, none is.
	maxNamed = 256
)

// Meta is what a segment says of its content in its footer.
type Meta struct {
	Version int   `json:"version"`
	From    int64 `json:"from"` // offsets [From, To)
	To      int64 `json:"to"`
	Rows    int64 `json:"rows"`
	// Skipped records could not be read, or came from a worker that had lost the
	// partition.
	Skipped  int64     `json:"skipped,omitempty"`
	First    time.Time `json:"first,omitzero"` // record times
	Last     time.Time `json:"last,omitzero"`
	Earliest time.Time `json:"earliest,omitzero"` // ends of windows, times of alerts
	Latest   time.Time `json:"latest,omitzero"`
	Cameras  []string  `json:"cameras,omitempty"` // sorted; empty: too many to name
	Models   []string  `json:"models,omitempty"`  // likewise
	Dims     int       `json:"dims,omitempty"`    // of embeddings
	Odd      int64     `json:"odd,omitempty"`     // rows whose embedding has another length, and lies in extra
}

const metaVersion = 1

func (c codec[T]) describe(n Name, records []Record[T], skipped int64, dims int) Meta {
	m := Meta{Version: metaVersion, From: n.From, To: n.To, Rows: int64(len(records)), Skipped: skipped, Dims: dims}
	cameras, models := map[string]bool{}, map[string]bool{}
	for i, r := range records {
		at := c.when(r.Value).UTC()
		if i == 0 {
			m.First, m.Last, m.Earliest, m.Latest = r.Time, r.Time, at, at
		}
		m.First, m.Last = earlier(m.First, r.Time), later(m.Last, r.Time)
		m.Earliest, m.Latest = earlier(m.Earliest, at), later(m.Latest, at)
		cameras[c.camera(r.Value)] = true
		if d := c.dims(r.Value); d != 0 && d != dims {
			m.Odd++
		}
		if id := c.model(r.Value); id != "" {
			models[id] = true
		}
	}
	m.Cameras, m.Models = named(cameras), named(models)
	return m
}

func named(set map[string]bool) []string {
	if len(set) > maxNamed {
		return nil
	}
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// file is an open segment: its footer, and as much of its columns as was
// fetched.
type file struct {
	Segment
	Meta
	bucket *Bucket
	parts  *parts
	file   *parquet.File
	memory *memory // nil: new memory for each stretch
}

// memory is used again for each segment of a scan: clearing new memory takes as
// long as reading.
type memory struct {
	bytes []byte
	used  int
}

func (m *memory) take(n int) []byte {
	if m == nil {
		return make([]byte, n)
	}
	if m.used+n > len(m.bytes) {
		m.bytes, m.used = make([]byte, max(2*len(m.bytes), n)), 0
	}
	m.used += n
	return m.bytes[m.used-n : m.used : m.used]
}

// open reads a segment's footer. An error says what is wrong with the file.
func (b *Bucket) open(ctx context.Context, s Segment) (*file, error) { return b.openIn(ctx, s, nil) }

// openIn is open with memory for what is fetched.
func (b *Bucket) openIn(ctx context.Context, s Segment, m *memory) (*file, error) {
	f := &file{Segment: s, bucket: b, parts: &parts{}, memory: m}
	if err := f.fetchFooter(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", s.Key(), err)
	}
	if err := guard(f.parse); err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", s.Key(), errBroken, err)
	}
	return f, nil
}

// errBroken is of a file that reading again does not mend.
var errBroken = errors.New("the segment is broken")

// errTruncated is how a file breaks most often.
var errTruncated = fmt.Errorf("%w: cut off, half-written or no Parquet file", errBroken)

func (f *file) fetchFooter(ctx context.Context) error {
	const ends = 12 // magic, length of the footer, magic
	if f.Size < ends || f.Size > maxSegment {
		return fmt.Errorf("%d bytes: %w", f.Size, errTruncated)
	}
	if err := f.fetch(ctx, extent{max(0, f.Size-footerGuess), f.Size}); err != nil {
		return err
	}
	end := f.parts.list[0].bytes
	end = end[len(end)-8:]
	if string(end[4:]) != "PAR1" {
		return errTruncated
	}
	footer := int64(binary.LittleEndian.Uint32(end)) + 8
	if footer > f.Size-4 || footer > maxFooter {
		return fmt.Errorf("footer of %d bytes: %w", footer, errTruncated)
	}
	if footer <= footerGuess {
		return nil
	}
	return f.fetch(ctx, extent{f.Size - footer, f.Size})
}

func (f *file) parse() (err error) {
	f.file, err = parquet.OpenFile(f.parts, f.Size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	text, _ := f.file.Lookup(metaKey)
	if err := json.Unmarshal([]byte(text), &f.Meta); err != nil || f.Meta.Version != metaVersion {
		return fmt.Errorf("its footer is none of Frostwatch's of version %d", metaVersion)
	}
	if f.Meta.From != f.Name.From || f.Meta.To != f.Name.To || f.Rows != f.file.NumRows() || f.Rows > f.Meta.To-f.Meta.From {
		return fmt.Errorf("it holds %d rows of offsets %d to %d, which is not what it is called or says", f.file.NumRows(), f.Meta.From, f.Meta.To)
	}
	return nil
}

// guard turns a panic over a file that is not what it seems into an error.
func guard(do func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("unreadable: %v", what)
		}
	}()
	return do()
}

// extent is a stretch of a file, [from, to).
type extent struct{ from, to int64 }

// fetch reads stretches from the bucket, all at once.
func (f *file) fetch(ctx context.Context, all ...extent) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range all {
		if e.from < 0 || e.to > f.Size || e.from > e.to {
			return errors.Join(fmt.Errorf("bytes %d to %d of %d: %w", e.from, e.to, f.Size, errTruncated), group.Wait())
		}
		b := f.memory.take(int(e.to - e.from))
		f.parts.list = append(f.parts.list, part{e.from, b})
		f.parts.fetched += e.to - e.from
		group.Go(func() error { return f.bucket.readAt(ctx, f.Key(), b, e.from) })
	}
	return group.Wait()
}

// parts are the stretches of a file that were fetched, as an io.ReaderAt.
type parts struct {
	list    []part
	fetched int64 // bytes, in all
}

type part struct {
	from  int64
	bytes []byte
}

// ReadAt reads what was fetched; anything else is an error.
func (p *parts) ReadAt(b []byte, offset int64) (int, error) {
	for _, part := range p.list {
		if at := offset - part.from; at >= 0 && at < int64(len(part.bytes)) {
			n := copy(b, part.bytes[at:])
			if n < len(b) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("read at %d: not fetched", offset)
}

// chunks are the stretches of the named columns, those close to each other as
// one.
func (f *file) chunks(names ...string) ([]extent, error) {
	const near = 64 << 10
	var all []extent
	for _, group := range f.file.Metadata().RowGroups {
		for _, c := range group.Columns {
			m := c.MetaData
			if len(m.PathInSchema) != 1 || !slices.Contains(names, m.PathInSchema[0]) {
				continue
			}
			from := m.DataPageOffset
			if m.DictionaryPageOffset > 0 {
				from = min(from, m.DictionaryPageOffset)
			}
			if from < 0 || m.TotalCompressedSize < 0 || from > f.Size-m.TotalCompressedSize {
				return nil, fmt.Errorf("column %s: %w", m.PathInSchema[0], errTruncated)
			}
			all = append(all, extent{from, from + m.TotalCompressedSize})
		}
	}
	slices.SortFunc(all, func(a, b extent) int { return int(max(-1, min(1, a.from-b.from))) })
	var joined []extent
	for _, e := range all {
		if n := len(joined); n > 0 && e.from-joined[n-1].to < near {
			joined[n-1].to = max(joined[n-1].to, e.to)
			continue
		}
		joined = append(joined, e)
	}
	return joined, nil
}

// rows calls fn for each row, whose values are valid during the call. Every
// column is fetched.
func (f *file) rows(ctx context.Context, fn func(*row) error) error {
	if err := f.fetch(ctx, extent{0, f.Size}); err != nil {
		return err
	}
	f.parts.list = f.parts.list[len(f.parts.list)-1:]
	r := newRow(f.file.Schema())
	for _, group := range f.file.RowGroups() {
		if err := f.eachRow(ctx, group, r, fn); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) eachRow(ctx context.Context, group parquet.RowGroup, r *row, fn func(*row) error) error {
	rows := group.Rows()
	defer func() { _ = rows.Close() }()
	buffer := make([]parquet.Row, 64)
	for ctx.Err() == nil {
		var n int
		err := guard(func() (err error) { n, err = rows.ReadRows(buffer); return err })
		for _, values := range buffer[:n] {
			r.values = values
			if err := fn(r); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w: %w", f.Key(), errBroken, err)
		}
	}
	return ctx.Err()
}
