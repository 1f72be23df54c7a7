package media

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// The track that is decoded is the first video that has a decoder: neither a cover,
// even if it comes first, nor one that nobody knows.
func TestTheTrackWithADecoderIsTaken(t *testing.T) {
	fence := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 2, "mp4")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }

	ffmpeg(t, "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1", path("cover.png"))
	ffmpeg(t, "-i", fence, "-i", path("cover.png"), "-map", "0:v", "-map", "1:v", "-c", "copy", "-disposition:v:1", "attached_pic", path("cover_last.mp4"))
	write(t, path("cover.mp4"), coverFirst(t, path("cover_last.mp4")))

	ffmpeg(t, "-i", fence, "-map", "0:v", "-map", "0:v", "-c", "copy", path("two.mp4"))
	two, err := os.ReadFile(path("two.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path("unknown.mp4"), bytes.Replace(two, []byte("avc1\x00\x00\x00\x00"), []byte("zzzz\x00\x00\x00\x00"), 1))

	want := len(decoded(t, fence))
	for _, name := range []string{"cover.mp4", "unknown.mp4"} {
		if got := len(decoded(t, path(name))); got != want {
			t.Errorf("%s: %d frames, want the video's %d", name, got, want)
		}
	}

	write(t, path("none.mp4"), bytes.ReplaceAll(two, []byte("avc1\x00\x00\x00\x00"), []byte("zzzz\x00\x00\x00\x00")))
	if _, err := OpenFile(t.Context(), path("none.mp4"), 1); err == nil || !strings.Contains(err.Error(), "in a known way") {
		t.Errorf("no track is known: %v", err)
	}
}

// Of several tracks the one that is marked as the default is taken, or else the largest.
func TestTheDefaultTrackOrTheLargestIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	for _, c := range []struct {
		marks string
		width int
	}{
		{"-disposition:v:0 0 -disposition:v:1 0 -disposition:v:2 0", 128},
		{"-disposition:v:0 default -disposition:v:1 0 -disposition:v:2 0", 64},
		{"-disposition:v:0 0 -disposition:v:1 0 -disposition:v:2 default", 96},
	} {
		args := []string{"-y"}
		for _, size := range []string{"64x64", "128x96", "96x64"} {
			args = append(args, "-f", "lavfi", "-i", "testsrc2=rate=10:duration=0.5:size="+size)
		}
		args = append(args, "-map", "0:v", "-map", "1:v", "-map", "2:v", "-c:v", "libx264")
		ffmpeg(t, append(append(args, strings.Fields(c.marks)...), path)...)
		if _, w, _ := firstPicture(t, path); w != c.width {
			t.Errorf("%s: the picture is %d wide, want %d", c.marks, w, c.width)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// coverFirst moves the user data of an MP4, in which the cover is, before its tracks:
// libav numbers streams in the order in which it finds them.
func coverFirst(t *testing.T, path string) []byte {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(all); {
		size := int(binary.BigEndian.Uint32(all[at:]))
		if string(all[at+4:at+8]) != "moov" {
			at += size
			continue
		}
		var userData, rest [][]byte
		for in := at + 8; in < at+size; {
			n := int(binary.BigEndian.Uint32(all[in:]))
			if box := all[in : in+n]; string(box[4:8]) == "udta" {
				userData = append(userData, box)
			} else {
				rest = append(rest, box)
			}
			in += n
		}
		head := slices.Clone(all[at : at+8])
		moov := slices.Concat(head, slices.Concat(userData...), slices.Concat(rest...))
		return slices.Concat(all[:at], moov, all[at+size:])
	}
	t.Fatal("the file has no moov")
	return nil
}
