package media

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Colours are those that FFmpeg itself makes of a frame, by the frame's own
// matrix and range, and no row is cut short.
func TestPicturesAreAsFFmpegShowsThem(t *testing.T) {
	for _, c := range []struct{ name, size, args string }{
		{"untagged", "640x360", "-pix_fmt yuv420p"},
		{"full range", "640x360", "-pix_fmt yuvj420p"},
		{"bt709", "640x360", "-pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709"},
		{"bt709 full range", "640x360", "-pix_fmt yuvj420p -colorspace bt709"},
		{"width not of 8", "398x226", "-pix_fmt yuv420p"},
		{"odd size", "399x225", "-pix_fmt yuv444p"},
		{"10 bits", "640x360", "-pix_fmt yuv420p10le"},
		{"grey", "322x182", "-pix_fmt gray"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "v.mkv")
			args := append([]string{"-f", "lavfi", "-i", "testsrc2=size=" + c.size + ":rate=10:duration=0.3", "-c:v", "libx264"}, strings.Fields(c.args)...)
			ffmpeg(t, append(args, path)...)
			want := shownByFFmpeg(t, path, "null")
			s, err := OpenStream(t.Context(), "file:"+path, StreamOptions{
				Open: time.Second, Read: time.Second, Watchdog: time.Second, Threads: 1, OnBytes: func(int) {}, OnBadPacket: func() {},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.RGB(make([]byte, 3))
			if err != nil || len(got) != len(want) || len(got) != f.Width*f.Height*3 {
				t.Fatalf("%d bytes for %dx%d, want %d: %v", len(got), f.Width, f.Height, len(want), err)
			}
			if worst := farthest(got, want); worst > 2 {
				t.Errorf("a value is %d off", worst)
			}
		})
	}
}
