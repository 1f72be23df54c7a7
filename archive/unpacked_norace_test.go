//go:build !race

package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/frostwatch/frostwatch/topics"
)

// What a page takes unpacked is known before it is unpacked.
func TestUnpackedSize(t *testing.T) {
	e, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	must(t, err)
	defer func() { _ = e.Close() }()
	pack := func(n int) []byte { return e.EncodeAll(bytes.Repeat([]byte("frost"), n/5), nil) }
	for _, n := range []int{0, 5, 100_000, 3_000_000} {
		if got, err := zstdSize(pack(n)); err != nil || got < int64(n) || got > int64(n)+zstdBlock {
			t.Errorf("%d bytes: %d, %v", n, got, err)
		}
	}
	var stream bytes.Buffer // it does not say its size
	w, err := zstd.NewWriter(&stream)
	must(t, err)
	_, err = w.Write(make([]byte, 3<<20))
	must(t, err)
	must(t, w.Close())
	if got, err := zstdSize(stream.Bytes()); err != nil || got < 3<<20 || got > 6<<20 {
		t.Errorf("a frame without its size: %d, %v", got, err)
	}
	for name, frame := range map[string][]byte{
		"two frames": append(pack(10), pack(1_000_000)...), "cut off": pack(1000)[:10], "no frame": []byte("frost"), "nothing": nil,
	} {
		if n, err := zstdSize(frame); err == nil {
			t.Errorf("%s: %d", name, n)
		}
	}
}

// A segment that is larger than ours, or whose pages hold more than its records can, is
// broken before it takes memory.
func TestSegmentsThatWouldGrowAreBroken(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t)
	archived(t, k, b, 1, -1, 4096)
	all := listed(t, b, topics.Actions)
	path, others := filepath.Join(b.dir, filepath.FromSlash(all[0].Key())), int(all[1].To-all[1].From)
	whole, err := os.ReadFile(path)
	must(t, err)
	given := func(what string) {
		r := reader(t, ReaderOptions{Bucket: b})
		n := 0
		counts, err := r.Actions(t.Context(), Range{}, func(Record[topics.Recognition]) error { n++; return nil })
		must(t, err)
		scanned, err := r.Scan(t.Context(), Range{}, func(b Batch) error { n += len(b.Rows); return nil })
		must(t, err)
		if n != 2*others || counts.Broken != 1 || scanned.Broken != 1 {
			t.Errorf("%s: %d records, broken %v and %v", what, n, counts.Reasons, scanned.Reasons)
		}
	}
	// Each frame that says its size, in two bytes from 256 on, says another.
	frames := 0
	for rest := whole; ; frames++ {
		i := bytes.Index(rest, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x60})
		if i < 0 {
			break
		}
		rest = rest[i+5:]
		copy(rest, []byte{0, 0})
	}
	if frames < 1 {
		t.Fatalf("%d pages are compressed as they were", frames)
	}
	must(t, os.WriteFile(path, whole, 0o600))
	given("pages of other sizes")
	must(t, os.Truncate(path, maxSegment+1))
	given("a large file")
}
