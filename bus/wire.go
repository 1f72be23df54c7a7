package bus

import (
	"encoding/binary"
	"errors"
)

// wire writes Kafka's primitive types, big-endian.
type wire []byte

func (w *wire) int8(v int8)   { *w = append(*w, byte(v)) }
func (w *wire) int16(v int16) { *w = binary.BigEndian.AppendUint16(*w, uint16(v)) }
func (w *wire) int32(v int32) { *w = binary.BigEndian.AppendUint32(*w, uint32(v)) }
func (w *wire) int64(v int64) { *w = binary.BigEndian.AppendUint64(*w, uint64(v)) }

func (w *wire) string(s string) {
	w.int16(int16(len(s)))
	*w = append(*w, s...)
}

func (w *wire) bytes(b []byte) {
	w.int32(int32(len(b)))
	*w = append(*w, b...)
}

// errShort is returned for an answer or a record that is shorter than its own
// lengths say.
var errShort = errors.New("the data is cut short")

// wireReader reads them. After an error every read returns zero.
type wireReader struct {
	b   []byte
	err error
}

// take returns the next n bytes, not copied.
func (r *wireReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.err, r.b = errors.Join(r.err, errShort), nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *wireReader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *wireReader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *wireReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *wireReader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// string reads a string that may be null.
func (r *wireReader) string() string {
	if n := r.int16(); n > 0 {
		return string(r.take(int(n)))
	}
	return ""
}

// bytes reads a byte string that may be null; not copied.
func (r *wireReader) bytes() []byte {
	if n := r.int32(); n > 0 {
		return r.take(int(n))
	}
	return nil
}

// count reads the length of a list whose elements have at least size bytes each. A
// length that the data can't have is an error, so that no memory is allocated for it.
func (r *wireReader) count(size int) int {
	n := int(r.int32())
	if n > len(r.b)/size {
		r.take(-1)
		return 0
	}
	return max(n, 0)
}

// varint reads a zigzag number.
func (r *wireReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.take(-1)
		return 0
	}
	r.take(n)
	return v
}
