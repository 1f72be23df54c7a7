package archive

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// maxUnpacked bounds the bytes that a segment's compressed pages have together. A few
// kilobytes of zstd can hold gigabytes, and the Parquet library unpacks whatever it is given.
const maxUnpacked = 4 * maxBytes

// checkPages looks at the headers of the compressed pages that were fetched, before the
// Parquet library reads them. wanted is by column's name; nil: all.
func (f *file) checkPages(wanted map[string]bool) error {
	unpacked := int64(0)
	for _, group := range f.file.Metadata().RowGroups {
		for i := range group.Columns {
			m := &group.Columns[i].MetaData
			if m.Codec == format.Uncompressed || wanted != nil && (len(m.PathInSchema) != 1 || !wanted[m.PathInSchema[0]]) {
				continue
			}
			from := m.DataPageOffset
			if m.DictionaryPageOffset > 0 {
				from = min(from, m.DictionaryPageOffset)
			}
			raw, err := f.parts.slice(from, m.TotalCompressedSize)
			if err != nil {
				return err
			}
			n, err := unpackedSize(raw, f.Rows)
			if unpacked += n; err == nil && unpacked > maxUnpacked {
				err = fmt.Errorf("it has more than %d bytes unpacked", maxUnpacked)
			}
			if err != nil {
				return fmt.Errorf("column %v: %w", m.PathInSchema, err)
			}
		}
	}
	return nil
}

// unpackedSize is how many bytes the pages of a chunk have unpacked; rows bounds the values
// of each.
func unpackedSize(raw []byte, rows int64) (all int64, err error) {
	var protocol thrift.CompactProtocol
	for len(raw) > 0 {
		reader := protocol.NewReaderFromBytes(raw)
		var h format.PageHeader
		if err := thrift.NewDecoder(reader).Decode(&h); err != nil {
			return 0, fmt.Errorf("header of a page: %w", err)
		}
		raw = raw[reader.BytesRead():]
		values := max(h.DataPageHeader.V.NumValues, h.DictionaryPageHeader.V.NumValues)
		if h.Type != format.DataPage && h.Type != format.DictionaryPage || h.CompressedPageSize < 0 || int(h.CompressedPageSize) > len(raw) || int64(values) > rows {
			return 0, fmt.Errorf("a page of %d bytes and %d values", h.CompressedPageSize, values)
		}
		n, err := zstdSize(raw[:h.CompressedPageSize])
		if err == nil && n < int64(h.UncompressedPageSize) {
			err = fmt.Errorf("at most %d bytes unpacked, and the header says %d", n, h.UncompressedPageSize)
		}
		if err != nil {
			return 0, fmt.Errorf("a page: %w", err)
		}
		raw, all = raw[h.CompressedPageSize:], all+n
	}
	return all, nil
}

// zstdBlock is what a block of zstd has unpacked at most.
const zstdBlock = 128 << 10

// zstdSize is how many bytes one frame of zstd has unpacked: as it says, which its decoder
// holds it to, or at most, where it says nothing.
func zstdSize(frame []byte) (int64, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return 0, err
	}
	if h.Skippable || h.HasFCS && h.FrameContentSize > maxUnpacked {
		return 0, errors.New("its frame is not as the archive writes it")
	}
	most, rest, err := zstdBlocks(frame[h.HeaderSize:])
	if h.HasCheckSum && len(rest) == 4 {
		rest = nil
	}
	if err == nil && len(rest) > 0 { // of more frames, as a rule, which would add to it
		err = errors.New("bytes follow its frame")
	}
	if h.HasFCS {
		most = int64(h.FrameContentSize) //nolint:gosec // it is at most maxUnpacked
	}
	return most, err
}

// zstdBlocks is what a frame's blocks have unpacked at most, and what follows them (RFC
// 8878, 3.1.1.2).
func zstdBlocks(rest []byte) (most int64, after []byte, err error) {
	const run, packed = 1, 2 // a byte that is repeated
	for last := false; !last; {
		if len(rest) < 3 {
			return 0, nil, errTruncated
		}
		header := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		last = header&1 == 1
		kind, size := header>>1&3, header>>3
		has := int64(size)
		switch kind {
		case run:
			size = 1
		case packed:
			has = zstdBlock
		}
		if len(rest) < 3+size {
			return 0, nil, errTruncated
		}
		most, rest = most+has, rest[3+size:]
	}
	return most, rest, nil
}
