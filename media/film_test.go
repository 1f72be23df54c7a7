package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kept is what a stream gave before decoding.
type kept struct {
	track   Track
	packets []Taken
	data    [][]byte
	frames  int
}

// keepAll reads a recording as fast as it decodes, as if it came at its own pace.
func keepAll(t *testing.T, path string) (k kept) {
	t.Helper()
	begun := time.Now()
	o := testOptions()
	o.AnyPace = true
	var params []byte
	o.OnPacket = func(p Packet) {
		if p.Params != nil {
			params = bytes.Clone(p.Params)
		}
		k.packets = append(k.packets, Taken{Key: p.Key, PTS: p.PTS, DTS: p.DTS, Size: len(p.Data)})
		k.data = append(k.data, bytes.Clone(p.Data))
	}
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for ; err == nil; k.frames++ {
		_, err = s.Next()
	}
	if k.frames--; !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	k.track = s.Track()
	if params != nil {
		k.track.Extra = params
	}
	for i := range k.packets {
		k.packets[i].Arrived = begun.Add(time.Duration(i) * time.Second / 15)
	}
	return k
}

// film writes all that was kept.
func (k kept) film(t *testing.T) string {
	t.Helper()
	f := Film{Track: k.track, Read: func(i int) ([]byte, error) { return k.data[i], nil }}
	for i, at := range Captured(k.track.Tick, k.packets) {
		f.Packets = append(f.Packets, FilmPacket{Key: k.packets[i].Key, Captured: at, Size: k.packets[i].Size})
	}
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := f.Write(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkFilm decodes a film and compares what ffmpeg and a browser need of it.
func checkFilm(t *testing.T, path string, frames int, seconds float64) {
	t.Helper()
	said, err := exec.Command("ffmpeg", "-v", "warning", "-xerror", "-i", path, "-fps_mode", "passthrough", "-f", "null", "-").CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("ffmpeg decodes it with %v: %s", err, said)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames,duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var lasts float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(string(out), ",", " "), "%f %d", &lasts, &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if got != frames || lasts < seconds-0.2 || lasts > seconds+0.2 {
		t.Errorf("%d frames in %.2f s, want %d in %.2f s", got, lasts, frames, seconds)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if index, pictures := bytes.Index(b, []byte("moov")), bytes.Index(b, []byte("mdat")); index < 0 || index > pictures {
		t.Errorf("the index is at %d, the pictures at %d: want it before them", index, pictures)
	}
}

// Packets of any stream become a film that plays, with all of its pictures.
func TestFilmsPlay(t *testing.T) {
	for name, args := range map[string]string{
		"plain.mp4":   "-c:v libx264 -g 30 -bf 0",
		"b.ts":        "-c:v libx264 -g 30 -bf 3 -b_strategy 0",
		"open.mkv":    "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=30:min-keyint=30:scenecut=0",
		"refresh.ts":  "-c:v libx264 -x264-params intra-refresh=1:keyint=30:bframes=0",
		"slices.h264": "-c:v libx264 -slices 4 -g 30 -bf 0",
		"hevc.ts":     "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30",
		"hevc.mp4":    "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30",
		"mjpeg.avi":   "-c:v mjpeg -pix_fmt yuvj420p",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc=size=160x96:rate=15:duration=3,format=yuv420p"}, strings.Fields(args)...), path)...)
			k := keepAll(t, path)
			checkFilm(t, k.film(t), k.frames, 3)
		})
	}
}

// Packets come to films as well while only keyframes are decoded.
func TestFilmsOfWhatIsNotDecoded(t *testing.T) {
	path := visited(t, "plain.mp4", "-c:v libx264 -g 30 -keyint_min 30 -sc_threshold 0 -bf 0")
	o := testOptions()
	packets, skipped := 0, 0
	o.AnyPace, o.OnDemand = true, true
	o.OnPacket, o.OnKept = func(Packet) { packets++ }, func() { skipped++ }
	s, err := OpenStream(t.Context(), "file:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		_, err = s.Next()
	}
	if packets != 300 || skipped == 0 {
		t.Errorf("%d packets came, and %d were not decoded at once: want all 300, and some", packets, skipped)
	}
}

// A film is shown as its stream is: turned, and with samples that are no squares.
func TestFilmsLookAsTheirStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc=size=160x96:rate=15:duration=1,format=yuv420p,setsar=2/1", "-c:v", "libx264", path)
	turned := filepath.Join(t.TempDir(), "turned.mp4")
	ffmpeg(t, "-i", path, "-c", "copy", "-metadata:s:v", "rotate=90", turned)
	show := func(path string) string {
		out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "stream=width,height,sample_aspect_ratio:stream_side_data=rotation", "-of", "csv=p=0", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got, want := show(keepAll(t, turned).film(t)), show(turned); got != want || !strings.Contains(want, "90") {
		t.Errorf("the film is %q, its stream %q", got, want)
	}
}

// Whatever a camera's stamps do, a film has each picture at about the time at which it was
// before the camera.
func TestFilmsKeepTime(t *testing.T) {
	const tick, frames = 1.0 / 90000, 200
	step := 40 * time.Millisecond
	begun := time.Unix(1000, 0)
	for _, tt := range []struct {
		name string
		make func(i int) (stamp int64, came time.Duration)
	}{
		{"right", func(i int) (int64, time.Duration) { return int64(i) * 3600, time.Duration(i) * step }},
		{"no stamps", func(i int) (int64, time.Duration) { return NoTime, time.Duration(i) * step }},
		{"all alike", func(i int) (int64, time.Duration) { return 7, time.Duration(i) * step }},
		{"far away once in a while", func(i int) (int64, time.Duration) {
			if i%50 == 49 {
				return int64(i)*3600 - 9800*90000, time.Duration(i) * step
			}
			return int64(i) * 3600, time.Duration(i) * step
		}},
		{"begin anew", func(i int) (int64, time.Duration) { return int64(i%100) * 3600, time.Duration(i) * step }},
		{"leap ahead by a day", func(i int) (int64, time.Duration) {
			return int64(i)*3600 + int64(i/100)*86400*90000, time.Duration(i) * step
		}},
		{"too fast", func(i int) (int64, time.Duration) { return int64(i) * 4300, time.Duration(i) * step }},
		{"too slow", func(i int) (int64, time.Duration) { return int64(i) * 1800, time.Duration(i) * step }},
		{"a pause that stamps leave out", func(i int) (int64, time.Duration) {
			return int64(i) * 3600, time.Duration(i)*step + time.Duration(i/100)*4*time.Second
		}},
		{"a wrap of 33 bits", func(i int) (int64, time.Duration) {
			return (1<<33 - 360000 + int64(i)*3600) % (1 << 33), time.Duration(i) * step
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var packets []Taken
			for i := range frames {
				stamp, came := tt.make(i)
				packets = append(packets, Taken{PTS: stamp, DTS: NoTime, Arrived: begun.Add(came)})
			}
			for i, at := range Captured(tick, packets) {
				if off := at.Sub(packets[i].Arrived).Abs(); off > 100*time.Millisecond {
					t.Fatalf("picture %d, which came at %v, was at %v", i, packets[i].Arrived.Sub(begun), at.Sub(begun))
				}
			}
		})
	}
}

// What was held up on its way was before the camera earlier than it came.
func TestFilmsDateWhatCameLate(t *testing.T) {
	begun := time.Unix(1000, 0)
	var packets []Taken
	for i := range 250 {
		made := time.Duration(i) * 40 * time.Millisecond
		came := made
		if i < 100 { // a server that keeps four seconds for whoever connects
			came = 4 * time.Second
		} else if i > 200 && i < 230 {
			came = 230 * 40 * time.Millisecond
		}
		packets = append(packets, Taken{PTS: int64(i) * 3600, DTS: NoTime, Arrived: begun.Add(came)})
	}
	for i, at := range Captured(1.0/90000, packets) {
		if want := begun.Add(time.Duration(i) * 40 * time.Millisecond); at.Sub(want).Abs() > 10*time.Millisecond {
			t.Fatalf("picture %d was at %v, want %v", i, at.Sub(begun), want.Sub(begun))
		}
	}
}

// Films that can't be made are refused with a reason, and leave no memory behind.
func TestFilmsThatCannotBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film.mp4")
	one := []FilmPacket{{Key: true, Captured: time.Unix(1, 0)}}
	read := func(int) ([]byte, error) { return []byte{0, 0, 0, 1, 0x65, 1}, nil }
	h264 := Track{Codec: "h264", Width: 16, Height: 16, Extra: []byte{0, 0, 0, 1, 0x67, 66, 0, 10, 0xf8, 0x41, 0xa2, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, tt := range []struct {
		name string
		film Film
		path string
		ctx  context.Context
	}{
		{"nothing", Film{Track: h264, Read: read}, path, t.Context()},
		{"no size", Film{Track: Track{Codec: "h264"}, Packets: one, Read: read}, path, t.Context()},
		{"another codec", Film{Track: Track{Codec: "rv40", Width: 16, Height: 16}, Packets: one, Read: read}, path, t.Context()},
		{"no folder", Film{Track: h264, Packets: one, Read: read}, filepath.Join(path, "none", "film.mp4"), t.Context()},
		{"unreadable", Film{Track: h264, Packets: one, Read: func(int) ([]byte, error) { return nil, io.ErrUnexpectedEOF }}, path, t.Context()},
		{"stopped", Film{Track: h264, Packets: one, Read: read}, path, stopped},
	} {
		if err := tt.film.Write(tt.ctx, tt.path); err == nil {
			t.Errorf("%s: it was written", tt.name)
		}
	}
}

// Start codes in front of start codes make no empty units; whatever else is in a packet
// stays.
func TestEmptyUnits(t *testing.T) {
	for in, want := range map[string]string{
		"\x00\x00\x00\x01\x65ab":                                   "\x00\x00\x00\x01\x65ab",
		"\x00\x00\x00\x01\x00\x00\x00\x01\x65ab":                   "\x00\x00\x00\x00\x01\x65ab",
		"\x00\x00\x01\x00\x00\x01\x00\x00\x01\x65\x00\x00\x01\x09": "\x00\x00\x01\x65\x00\x00\x01\x09",
		"\x00\x00\x01\x00\x00\x00":                                 "\x00\x00\x01\x00\x00\x00",
		"\x00\x00\x01\x00\x00\x02\x00\x00\x01\x41":                 "\x00\x00\x01\x00\x00\x02\x00\x00\x01\x41",
		"": "",
	} {
		if got := withoutEmpty([]byte(in)); string(got) != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	sets := "\x00\x00\x00\x01\x67sps\x00\x00\x00\x01\x68pps"
	for _, in := range []string{"\x00\x00\x00\x01\x09\x10" + sets + "\x00\x00\x01\x65rest\x00\x00\x01\x67", "\x00\x00\x01" + sets + "\x00\x00\x01\x65"} {
		if got := parameterSets("h264", []byte(in)); string(got) != sets {
			t.Errorf("parameter sets %q of %q", got, in)
		}
	}
}
