package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// vectors are a column of vectors. They are plain bytes of the file and are used where
// they were fetched to: the Parquet library would copy them twice, which took longer
// than comparing them.
type vectors struct {
	pages []page
	rows  int
}

// page is a part of a column of vectors.
type page struct {
	raw     []byte // without those that are null
	rows    int
	missing []bool // by row; nil: none is null
}

func (v *vectors) clear() { v.pages, v.rows = v.pages[:0], 0 }

// take reads the pages of a column chunk, of dims values a vector, that was fetched.
// What it returns is part of the fetched memory.
func (v *vectors) take(f *file, chunk *format.ColumnChunk, leaf parquet.LeafColumn, dims int) error {
	return rawPages(f, chunk, leaf, func(p page) error {
		nulls := 0
		for _, missing := range p.missing {
			if missing {
				nulls++
			}
		}
		if int64(v.rows)+int64(p.rows) > f.Rows || len(p.raw) != (p.rows-nulls)*2*dims {
			return fmt.Errorf("%d bytes of %d vectors of %d numbers", len(p.raw), p.rows-nulls, dims)
		}
		v.pages = append(v.pages, p)
		v.rows += p.rows
		return nil
	})
}

// rawPages calls take for the pages of a plain, optional column chunk that was fetched.
func rawPages(f *file, chunk *format.ColumnChunk, leaf parquet.LeafColumn, take func(page) error) error {
	m := &chunk.MetaData
	if m.Codec != format.Uncompressed || m.DictionaryPageOffset != 0 || leaf.MaxDefinitionLevel != 1 || leaf.MaxRepetitionLevel != 0 {
		return errors.New("its vectors are not as the archive writes them")
	}
	raw, err := f.parts.slice(m.DataPageOffset, m.TotalCompressedSize)
	if err != nil {
		return err
	}
	var protocol thrift.CompactProtocol
	for left := min(m.NumValues, f.Rows); left > 0; {
		reader := protocol.NewReaderFromBytes(raw)
		var h format.PageHeader
		if err := thrift.NewDecoder(reader).Decode(&h); err != nil {
			return fmt.Errorf("header of a page: %w", err)
		}
		raw = raw[reader.BytesRead():]
		size, rows := int64(h.CompressedPageSize), int64(h.DataPageHeader.V.NumValues)
		if size < 0 || size > int64(len(raw)) || rows <= 0 || rows > left {
			return fmt.Errorf("a page of %d bytes and %d rows", size, rows)
		}
		p, err := rawPage(&h, raw[:size:size], int(rows))
		if err != nil {
			return err
		}
		if err := take(p); err != nil {
			return err
		}
		raw, left = raw[size:], left-rows
	}
	return nil
}

// rawPage takes one page apart: the length of the levels, the levels, which say what is
// null, and the values (https://parquet.apache.org/docs/file-format/data-pages).
func rawPage(h *format.PageHeader, raw []byte, rows int) (page, error) {
	if h.Type != format.DataPage || h.DataPageHeader.V.Encoding != format.Plain || h.DataPageHeader.V.DefinitionLevelEncoding != format.RLE {
		return page{}, errors.New("its vectors are not as the archive writes them")
	}
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(raw) {
		return page{}, errors.New("a page's checksum is wrong")
	}
	if len(raw) < 4 || int64(binary.LittleEndian.Uint32(raw)) > int64(len(raw)-4) {
		return page{}, errTruncated
	}
	end := 4 + int(binary.LittleEndian.Uint32(raw))
	missing, _, err := readNulls(raw[4:end], rows)
	return page{raw[end:], rows, missing}, err
}

// readNulls reads levels of one bit: runs of equal ones, and groups of eight. It
// returns by row whether it is null, which is nil if none is, and how many are.
func readNulls(levels []byte, rows int) (missing []bool, nulls int, err error) {
	var all []bool
	add := func(level byte, n int) {
		if n = min(n, rows-len(all)); level == 0 {
			nulls += n
		}
		for range n {
			all = append(all, level == 0)
		}
	}
	for len(all) < rows {
		header, n := binary.Uvarint(levels)
		groups := header >> 1
		switch {
		case n <= 0 || groups == 0 || len(levels) == n:
			return nil, 0, errTruncated
		case header&1 == 0 && len(all) == 0 && groups >= uint64(rows) && levels[n] == 1:
			return nil, 0, nil // the usual case
		case header&1 == 0:
			add(levels[n], int(min(groups, uint64(rows))))
			levels = levels[n+1:]
		default:
			bits := levels[n:min(uint64(len(levels)), uint64(n)+groups)]
			for i := range 8 * len(bits) {
				add(bits[i/8]>>(i%8)&1, 1)
			}
			levels = levels[n+len(bits):]
		}
	}
	if nulls == 0 {
		all = nil
	}
	return all, nulls, nil
}

// spread returns the vectors of all rows, of size bytes each, zeros for those that are
// null.
func (v *vectors) spread(size int) []byte {
	out := make([]byte, 0, size*v.rows)
	for _, p := range v.pages {
		if p.missing == nil {
			out = append(out, p.raw...)
			continue
		}
		read := 0
		for _, missing := range p.missing {
			if missing {
				out = append(out, make([]byte, size)...)
				continue
			}
			out = append(out, p.raw[read:read+size]...)
			read += size
		}
	}
	return out
}

// each appends the vector of each row, of size bytes; nil where it has none.
func (v *vectors) each(to [][]byte, size int) [][]byte {
	for _, p := range v.pages {
		raw := p.raw
		for i := range p.rows {
			if p.missing != nil && p.missing[i] {
				to = append(to, nil)
				continue
			}
			to, raw = append(to, raw[:size]), raw[size:]
		}
	}
	return to
}
