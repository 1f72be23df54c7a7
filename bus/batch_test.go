package bus

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"
)

// lastBatch is one as brokers send it: two records, the second with a header.
func lastBatch(attributes int16) []byte {
	varint := binary.AppendVarint
	text := func(b []byte, s string) []byte { return append(varint(b, int64(len(s))), s...) }
	record := func(ms, offset int64, key, value string, headers ...string) []byte {
		b := varint(varint([]byte{0}, ms), offset)
		b = varint(text(text(b, key), value), int64(len(headers)/2))
		for _, h := range headers {
			b = text(b, h)
		}
		return append(varint(nil, int64(len(b))), b...)
	}
	var body wire
	body.int16(attributes)
	body.int32(4) // last offset: compaction has left holes
	body.int64(1_000)
	body.int64(9_000)
	body.int64(-1)
	body.int16(-1)
	body.int32(-1)
	body.int32(2)
	body = append(body, record(0, 0, "k", "a")...)
	body = append(body, record(5, 2, "k", "b", "h", "x")...)
	var head wire
	head.int64(100)
	head.int32(int32(9 + len(body)))
	head.int32(0)
	head.int8(2)
	head.int32(int32(crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
	return append(head, body...)
}

func TestRecordsCarryTheTimeThatCounts(t *testing.T) {
	for _, c := range []struct {
		name       string
		attributes int16
		want       [2]int64
	}{
		{"producers' times", 0, [2]int64{1_000, 1_005}},
		{"the broker's", attrAppendTime, [2]int64{9_000, 9_000}},
	} {
		b, rest, ok, err := nextBatch(lastBatch(c.attributes))
		if err != nil || !ok || len(rest) != 0 || b.next != 105 {
			t.Fatalf("%s: %v, %v, next %d", c.name, ok, err, b.next)
		}
		for i, want := range c.want {
			m, ok, err := b.record(place{"t", 3})
			if err != nil || !ok || !m.Time.Equal(time.UnixMilli(want)) || m.Offset != 100+2*int64(i) || string(m.Value) != string("ab"[i]) || len(m.Headers) != i {
				t.Errorf("%s: record %d is %+v, %v", c.name, i, m, err)
			}
		}
		if _, ok, _ := b.record(place{}); ok {
			t.Errorf("%s: a third record", c.name)
		}
	}
}

// A record may say that it has millions of headers, and compress to nothing.
func TestARecordWithCountlessHeadersIsBroken(t *testing.T) {
	for n, broken := range map[int64]bool{maxHeaders: false, maxHeaders + 1: true, 1 << 40: true, -1: true} {
		body := binary.AppendVarint([]byte{0, 0, 0}, -1) // attributes, time, offset; no key
		body = binary.AppendVarint(binary.AppendVarint(body, -1), n)
		body = append(body, make([]byte, 2*(maxHeaders+1))...) // of empty headers
		b := batch{count: 1, records: append(binary.AppendVarint(nil, int64(len(body))), body...)}
		m, _, err := b.record(place{})
		if errors.Is(err, errBroken) != broken || cap(m.Headers) > maxHeaders {
			t.Errorf("%d headers: %v, %d made", n, err, cap(m.Headers))
		}
	}
}

func TestABrokenBatchIsPassedOver(t *testing.T) {
	whole := lastBatch(0)
	for at := 12; at < len(whole); at++ {
		if at < 16 { // the leader's epoch is not checked
			continue
		}
		broken := append([]byte{}, whole...)
		broken[at] ^= 1
		if b, _, ok, err := nextBatch(broken); !ok || !errors.Is(err, errBroken) || b.next <= b.base {
			t.Fatalf("byte %d flipped: %v, %v, next %d", at, ok, err, b.next)
		}
	}
	if _, _, ok, _ := nextBatch(whole[:len(whole)-1]); ok {
		t.Error("a batch that is cut short is taken")
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(lastBatch(0))
	f.Add(lastBatch(attrAppendTime))
	f.Add(lastBatch(4))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 21 { // so that more than the checksum is tried
			binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
		}
		for ok := true; ok; {
			var b batch
			var err error
			before := len(raw)
			if b, raw, ok, err = nextBatch(raw); ok && len(raw) >= before {
				t.Fatal("it does not go on")
			}
			for more := ok && err == nil; more; {
				_, more, err = b.record(place{})
				if err != nil {
					break
				}
			}
		}
	})
}

func FuzzFetch(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = parseFetch(&wireReader{b: raw})
		decodeShare(raw)
		userDataOf(raw)
	})
}
