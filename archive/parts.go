package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"
)

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

// parts are the fetched stretches of a file. They are an io.ReaderAt.
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

// slice returns n fetched bytes from an offset on, which are not copied.
func (p *parts) slice(offset, n int64) ([]byte, error) {
	for _, part := range p.list {
		if at := offset - part.from; at >= 0 && n >= 0 && n <= int64(len(part.bytes))-at {
			return part.bytes[at : at+n], nil
		}
	}
	return nil, fmt.Errorf("read at %d: not fetched", offset)
}

// chunks returns the stretches of the named columns. Those close to each other are
// joined.
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

// memory is used again for each segment of a scan: clearing new memory would take as
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
