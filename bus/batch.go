package bus

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// batch is one record batch (format 2) of a log.
type batch struct {
	base       int64 // offset of its first record, whether that is still there or not
	next       int64 // after its last
	firstTime  int64 // ms
	appendTime int64 // ms; 0: records carry their producers' times
	control    bool  // of a transaction: not for readers
	count      int
	records    []byte // decompressed
}

const (
	attrCodec      = 0x07
	attrAppendTime = 0x08
	attrControl    = 0x20

	// maxHeaders bounds the headers of a record: ours have about ten, and in memory
	// a header is twenty times as large as it may be in a batch.
	maxHeaders = 1000
	// maxUnpacked bounds the size of a decompressed batch.
	maxUnpacked = 64 << 20 // bytes
)

// errBroken is returned for a batch that can't be read. The batch that comes with
// it still says at which offset to continue.
var errBroken = errors.New("the batch is broken")

// nextBatch decodes the first batch of b and returns what follows it. ok is false
// if b has no complete batch, as at the end of an answer.
func nextBatch(b []byte) (out batch, rest []byte, ok bool, err error) {
	r := wireReader{b: b}
	out.base = r.int64()
	length := int(r.int32())
	if r.err != nil || length < 0 || length > len(r.b) {
		return out, nil, false, nil
	}
	rest = r.b[length:]
	r.b = r.b[:length]
	r.int32() // leader's epoch
	magic := r.int8()
	sum := uint32(r.int32())
	checked := r.b
	attributes := r.int16()
	last := r.int32()
	out.firstTime = r.int64()
	newest := r.int64()
	r.take(8 + 2 + 4) // of transactions
	out.count = int(r.int32())
	out.next = out.base + 1
	switch {
	case r.err != nil:
		return out, rest, true, fmt.Errorf("%w: %w", errBroken, r.err)
	case magic != 2:
		return out, rest, true, fmt.Errorf("%w: format %d, want 2", errBroken, magic)
	case crc32.Checksum(checked, crc32.MakeTable(crc32.Castagnoli)) != sum:
		return out, rest, true, fmt.Errorf("%w: its checksum is wrong", errBroken)
	}
	out.next = out.base + int64(last) + 1
	out.control = attributes&attrControl != 0
	if attributes&attrAppendTime != 0 {
		out.appendTime = newest
	}
	out.records = r.b
	if codec := compress.Compression(attributes & attrCodec); codec != 0 {
		if out.records, err = unpack(codec, r.b); err != nil {
			return out, rest, true, fmt.Errorf("%w: %w", errBroken, err)
		}
	}
	return out, rest, true, nil
}

func unpack(codec compress.Compression, b []byte) ([]byte, error) {
	c := codec.Codec()
	if c == nil {
		return nil, fmt.Errorf("compression %d is unknown", codec)
	}
	r := c.NewReader(bytes.NewReader(b))
	out, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	err = errors.Join(err, r.Close())
	if err == nil && len(out) > maxUnpacked {
		err = fmt.Errorf("it unpacks to more than %d bytes", maxUnpacked)
	}
	return out, err
}

// record decodes the next record; ok is false after the last. The bytes of the
// message are copies.
func (b *batch) record(at place) (m Message, ok bool, err error) {
	if b.count <= 0 || len(b.records) == 0 {
		return m, false, nil
	}
	b.count--
	r := wireReader{b: b.records}
	body := wireReader{b: r.take(int(r.varint()))}
	b.records = r.b
	body.int8() // attributes
	ms := b.firstTime + body.varint()
	if b.appendTime > 0 {
		ms = b.appendTime
	}
	m = Message{Topic: at.topic, Partition: at.partition, Time: timeOf(ms)}
	m.Offset = b.base + body.varint()
	m.Key = bytes.Clone(body.varbytes())
	m.Value = bytes.Clone(body.varbytes())
	n := body.varint()
	if n < 0 || n > maxHeaders {
		body.take(-1)
		n = 0
	}
	m.Headers = make([]Header, n)
	for i := range m.Headers {
		m.Headers[i] = Header{Key: string(body.varbytes()), Value: bytes.Clone(body.varbytes())}
	}
	if err := errors.Join(r.err, body.err); err != nil {
		b.records = nil
		return m, false, fmt.Errorf("%w: %w", errBroken, err)
	}
	return m, true, nil
}

// varbytes reads bytes after their varint length; nil for -1. Not copied.
func (r *wireReader) varbytes() []byte {
	if n := r.varint(); n >= 0 {
		return r.take(int(n))
	}
	return nil
}

func timeOf(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
