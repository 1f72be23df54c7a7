package archive

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const (
	metaKey = "frostwatch"
	// maxFooter and maxSegment, in bytes, and maxRows bound what a foreign file can make a
	// reader allocate: ours hold perSegment records of up to maxBytes, which are smaller here.
	maxFooter  = 8 << 20
	maxSegment = maxBytes + 16<<20
	maxRows    = 4 * perSegment
	// footerGuess bytes of a file's end are read at first: most footers are shorter.
	footerGuess = 32 << 10
	// maxNamed is how many cameras or models a footer names; where there are more, it
	// names none.
	maxNamed = 256
)

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

// errBroken says that a file is broken: reading it again does not help.
var errBroken = errors.New("the segment is broken")

// errTruncated is the usual kind of errBroken.
var errTruncated = fmt.Errorf("%w: cut off, half-written or no Parquet file", errBroken)

func (f *file) fetchFooter(ctx context.Context) error {
	const ends = 12 // magic, length of the footer, magic
	if f.Size > maxSegment {
		return fmt.Errorf("%w: it has %d bytes, of %d that a segment may have", errBroken, f.Size, maxSegment)
	}
	if f.Size < ends {
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
	m := &f.Meta
	if err := json.Unmarshal([]byte(text), m); err != nil || m.Version != metaVersion {
		return fmt.Errorf("its footer is not one of Frostwatch's, version %d", metaVersion)
	}
	if m.From != f.Name.From || m.To != f.Name.To || m.Rows != f.file.NumRows() || m.Rows > m.To-m.From || m.Rows > maxRows {
		return fmt.Errorf("it holds %d rows of offsets %d to %d, which does not match its name or footer", f.file.NumRows(), m.From, m.To)
	}
	return f.checkCodecs()
}

// checkCodecs refuses compression that no segment of ours has. A single changed byte
// in the footer can name LZ4, whose decoder doubles its memory until it ends the
// process.
func (f *file) checkCodecs() error {
	for _, group := range f.file.Metadata().RowGroups {
		for _, c := range group.Columns {
			if codec := c.MetaData.Codec; codec != format.Uncompressed && codec != format.Zstd {
				return fmt.Errorf("a column is compressed with %v: want zstd or none", codec)
			}
		}
	}
	return nil
}

// guard turns a panic of the Parquet library over a damaged file into an error.
func guard(do func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("unreadable: %v", what)
		}
	}()
	return do()
}

// rows calls fn for each row, whose values are valid during the call. Every
// column is fetched.
func (f *file) rows(ctx context.Context, fn func(*row) error) error {
	if err := f.fetch(ctx, extent{0, f.Size}); err != nil {
		return err
	}
	f.parts.list = f.parts.list[len(f.parts.list)-1:]
	var r *row
	if err := f.guarded(func() error { r = newRow(f.file.Schema()); return f.checkPages(nil) }); err != nil {
		return err
	}
	for _, group := range f.file.RowGroups() {
		if err := f.eachRow(ctx, group, r, fn); err != nil {
			return err
		}
	}
	return nil
}

// guarded is guard for reading bytes that were fetched: an error means that the file
// is broken.
func (f *file) guarded(do func() error) error {
	if err := guard(do); err != nil {
		return fmt.Errorf("read %s: %w: %w", f.Key(), errBroken, err)
	}
	return nil
}

func (f *file) eachRow(ctx context.Context, group parquet.RowGroup, r *row, fn func(*row) error) error {
	var rows parquet.Rows
	if err := f.guarded(func() error { rows = group.Rows(); return nil }); err != nil {
		return err
	}
	defer func() { _ = guard(rows.Close) }()
	buffer := make([]parquet.Row, 64)
	for ended := false; !ended && ctx.Err() == nil; {
		var n int
		err := f.guarded(func() (err error) {
			if n, err = rows.ReadRows(buffer); errors.Is(err, io.EOF) {
				ended, err = true, nil
			}
			return err
		})
		for _, values := range buffer[:n] {
			r.turn(values)
			if err := fn(r); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
