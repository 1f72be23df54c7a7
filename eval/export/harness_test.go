package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	window = 4 * time.Second
	width  = 24
	height = 16
)

// picture is a JPEG whose brightness tells the frame's number, by colours that
// differ along both sides.
func picture(t testing.TB, frame, seed int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			level := 20 + 25*frame
			img.Set(x, y, color.RGBA{uint8(level + x), uint8(level + 2*y), uint8(level + seed%16), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// clipAt is a clip of a camera whose window begins at start.
func clipAt(t testing.TB, camera string, start time.Time) topics.Clip {
	t.Helper()
	epoch := start.Add(-time.Minute)
	c := topics.Clip{
		ID: topics.ClipID(camera, epoch, time.Minute), Camera: camera, Epoch: epoch,
		Start: time.Minute, Window: window, Width: width, Height: height,
	}
	for i := range topics.ClipFrames {
		at := time.Minute + time.Duration(i)*window/topics.ClipFrames
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: picture(t, i, int(start.Unix()/2)), Stream: at, Captured: epoch.Add(at)})
	}
	return c
}

func record(t testing.TB, topic string, c topics.Clip) bus.Message {
	t.Helper()
	value, err := topics.EncodeClip(c)
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Topic: topic, Key: []byte(c.Camera), Value: value, Time: c.EndTime()}
}

// recording is a camera's half-overlapping clips, all of whose windows begin in
// [from, to).
func recording(t testing.TB, topic, camera string, from, to time.Time) []bus.Message {
	t.Helper()
	var out []bus.Message
	for at := from; at.Before(to); at = at.Add(window / 2) {
		out = append(out, record(t, topic, clipAt(t, camera, at)))
	}
	return out
}

// memory is a topic of one partition for tests that need no broker.
type memory []bus.Message

func (m memory) Partitions(context.Context, string) (int, error) { return 1, nil }

func (m memory) Bounds(context.Context, string, int) (int64, int64, error) {
	return 0, int64(len(m)), nil
}

func (m memory) OffsetAt(_ context.Context, _ string, _ int, t time.Time) (int64, error) {
	i := slices.IndexFunc(m, func(r bus.Message) bool { return !r.Time.Before(t) })
	if i < 0 {
		i = len(m)
	}
	return int64(i), nil
}

func (m memory) Replay(ctx context.Context, _ string, _ int, from, to int64, fn func(bus.Message) error) error {
	for i, r := range m[from:to] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Offset = from + int64(i)
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (m memory) FetchOne(context.Context, string, int, int64) (bus.Message, error) {
	return bus.Message{}, errors.New("not asked for")
}

// intervals reads lines of CSV, with the header put before them.
func intervals(t testing.TB, lines ...string) *Intervals {
	t.Helper()
	in, err := ReadIntervals("labels.csv", strings.NewReader("camera,start,end,label\n"+strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func line(camera string, start, end time.Time, label string) string {
	return fmt.Sprintf("%s,%s,%s,%s", camera, start.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano), label)
}

// framesOf takes the JPEGs out of an AVI by its chunks' sizes.
func framesOf(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint32(b[4:]); int(got) != len(b)-8 {
		t.Fatalf("%s says that it has %d bytes, want %d", file, got, len(b)-8)
	}
	at := bytes.Index(b, []byte("movi")) + 4
	var out [][]byte
	for string(b[at:at+4]) == "00dc" {
		size := int(binary.LittleEndian.Uint32(b[at+4:]))
		out = append(out, b[at+8:at+8+size])
		at += 8 + size + size%2
	}
	return out
}

// listed reads train.txt or val.txt: the class' name of each path.
func listedClips(t testing.TB, dir, file string) map[string]string {
	t.Helper()
	classes := linesOf(t, filepath.Join(dir, classesFile))
	out := map[string]string{}
	for _, l := range linesOf(t, filepath.Join(dir, file)) {
		var name string
		var class int
		if _, err := fmt.Sscanf(l, "%s %d", &name, &class); err != nil {
			t.Fatalf("%s: %q: %v", file, l, err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		out[name] = classes[class]
	}
	return out
}

func linesOf(t testing.TB, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func readSet(t testing.TB, dir string) (s Set) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, setFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func pathOf(camera string, start time.Time) string {
	return fmt.Sprintf("clips/%s/%[1]s-%s.avi", camera, start.UTC().Format("20060102T150405.000Z"))
}
