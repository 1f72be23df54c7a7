package ring

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reports is what a store reports.
type reports struct {
	mu  sync.Mutex
	all []error
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, err)
}

func (r *reports) last() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.all); n > 0 {
		return r.all[n-1]
	}
	return nil
}

func store(t *testing.T, change func(*Options)) (*Store, *reports) {
	t.Helper()
	told := &reports{}
	o := Options{Dir: t.TempDir(), Camera: 8 << 20, Total: 64 << 20, Logger: slog.New(slog.DiscardHandler), Report: told.add}
	if change != nil {
		change(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, told
}

func ringOf(t *testing.T, s *Store, camera string, keep time.Duration) *Ring {
	t.Helper()
	r, err := s.Ring(camera, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		r.Remove()
	})
	r.Begin(media.Track{Codec: "h264", Width: 64, Height: 48, Tick: 1.0 / 90000})
	return r
}

var zero = time.Unix(1_000_000, 0)

// feed adds a second of ten packets, the first a keyframe, that hold their numbers.
func feed(r *Ring, second, size int) {
	for i := range 10 {
		n := second*10 + i
		data := bytes.Repeat([]byte{byte(n)}, size)
		r.Add(media.Packet{Key: i == 0, PTS: int64(n) * 9000, DTS: media.NoTime, Data: data}, zero.Add(time.Duration(n)*100*time.Millisecond))
	}
}

func at(second float64) time.Time { return zero.Add(time.Duration(second * float64(time.Second))) }

// numbers reads which packets there are.
func numbers(t *testing.T, r *Ring, from, until time.Time) (out []string) {
	t.Helper()
	all, done, err := r.Packets(t.Context(), from, until)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	for _, s := range all {
		if !s.Packets[0].Key {
			t.Errorf("a stretch begins with no keyframe")
		}
		for i, p := range s.Packets {
			n := int(p.Arrived.Sub(zero) / (100 * time.Millisecond))
			data, err := s.Data(i)
			if err != nil {
				t.Fatal(err)
			}
			if p.PTS != int64(n)*9000 || p.Size != len(data) || data[0] != byte(n) || data[len(data)-1] != byte(n) {
				t.Errorf("packet %d is another one: %d bytes, %v", n, len(data), p)
			}
		}
		first, last := s.Packets[0].Arrived.Sub(zero), s.Packets[len(s.Packets)-1].Arrived.Sub(zero)
		out = append(out, fmt.Sprintf("%v to %v: %d", first, last, len(s.Packets)))
	}
	return out
}

// size is what lies in a folder, in bytes.
func size(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s may be read by others: %v", d.Name(), info.Mode())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// Packets come back as they went in, from the keyframe before a time on.
func TestPacketsAreKept(t *testing.T) {
	s, _ := store(t, nil)
	r := ringOf(t, s, "door", time.Minute)
	for second := range 20 {
		feed(r, second, 1000)
	}
	got := numbers(t, r, at(12.5), at(15.05))
	if len(got) != 1 || !strings.Contains(got[0], "to 15s") {
		t.Fatalf("packets %v, want those up to 15 s", got)
	}
	var from float64
	if _, err := fmt.Sscanf(got[0], "%fs to", &from); err != nil || from > 12 {
		t.Errorf("packets %v, want them from a keyframe before 12.5 s on", got)
	}
}

// A ring takes no more than its time and its share need, and what it has are the newest.
func TestBoundsHold(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		s, _ := store(t, nil)
		r := ringOf(t, s, "door", 10*time.Second)
		for second := range 55 {
			feed(r, second, 1000)
			if got := numbers(t, r, at(0), at(1000)); second%20 == 19 && len(got) != 1 {
				t.Fatal(got)
			}
		}
		got := numbers(t, r, at(0), at(1000))
		var from float64
		if _, err := fmt.Sscanf(got[0], "%fs", &from); err != nil || from < 35 || from > 44 {
			t.Errorf("of the last 10 s of 55 s: %v", got)
		}
		if n := size(t, s.dir); n > 250*1000 {
			t.Errorf("%d bytes are kept of 10,000 in a second", n)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		const most = 4 << 20
		s, _ := store(t, func(o *Options) { o.Camera, o.Total = most, most+most/2 })
		a := ringOf(t, s, "a", time.Hour)
		for second := range 60 {
			feed(a, second, 40_000)
			numbers(t, a, at(0), at(1000))
			if n := size(t, s.dir); n > most {
				t.Fatalf("%d bytes are kept, of %d", n, most)
			}
		}
		if got := numbers(t, a, at(0), at(1000)); len(got) != 1 || !strings.Contains(got[0], "to 59.9s") {
			t.Errorf("what is kept is not the newest: %v", got)
		}
		b := ringOf(t, s, "b", time.Hour) // each has half of all now
		for second := range 60 {
			feed(a, 60+second, 40_000)
			feed(b, second, 40_000)
			numbers(t, a, at(0), at(1000))
			numbers(t, b, at(0), at(1000))
		}
		if n := size(t, s.dir); n > most+most/2 || n < most/2 {
			t.Errorf("two cameras keep %d bytes, of %d", n, most+most/2)
		}
	})
}

// After a loss, what is kept begins anew with a keyframe; another connection and other
// parameter sets are another stretch.
func TestStretches(t *testing.T) {
	s, _ := store(t, nil)
	r := ringOf(t, s, "door", time.Minute)
	feed(r, 0, 100)
	r.Add(media.Packet{Data: []byte{10, 10}, PTS: 10 * 9000}, at(1))
	r.Begin(media.Track{Codec: "h264", Tick: 1.0 / 90000, Extra: []byte("of the description")})
	for n := 15; n < 20; n++ { // the end of a group whose keyframe was before the connection
		r.Add(media.Packet{PTS: int64(n) * 9000, Data: []byte{byte(n)}}, at(float64(n)/10))
	}
	feed(r, 2, 100)
	for _, p := range []struct {
		n      int
		params string
	}{{30, "one"}, {31, "one"}, {32, "two"}} {
		r.Add(media.Packet{Key: true, PTS: int64(p.n) * 9000, Data: []byte{byte(p.n)}, Params: []byte(p.params)}, at(float64(p.n)/10))
	}
	r.Add(media.Packet{Key: true, PTS: 33 * 9000, Data: []byte{33}}, at(3.3))
	r.Sized(media.Track{Codec: "h264", Width: 32, Height: 16, Tick: 1.0 / 90000})
	want := []string{"0s to 1s: 11", "2s to 3.1s: 12", "3.2s to 3.3s: 2"}
	if got := numbers(t, r, at(0), at(10)); strings.Join(got, ";") != strings.Join(want, ";") {
		t.Errorf("stretches %q, want %q", got, want)
	}
	all, done, err := r.Packets(t.Context(), at(0), at(10))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if a, b := all[1].Track, all[2].Track; string(a.Extra) != "one" || string(b.Extra) != "two" || b.Width != 32 {
		t.Errorf("headers %q and %q, width %d: want those in front of the keyframes, and the new size", a.Extra, b.Extra, b.Width)
	}
}

// A disk that is about to be full costs films, and nothing else; it is reported, and over
// when there is room again.
func TestFullDisk(t *testing.T) {
	s, told := store(t, func(o *Options) { o.Spare = 1 })
	s.Spare = 1 << 60
	r := ringOf(t, s, "door", time.Minute)
	for second := range 100 {
		feed(r, second, 100_000) // nobody waits for the disk
	}
	numbers(t, r, at(0), at(1000))
	err := told.last()
	if err == nil || !strings.Contains(err.Error(), "stay free") || size(t, s.dir) > 0 {
		t.Fatalf("reported %v, %d bytes kept: want that there is no room", err, size(t, s.dir))
	}
	s.Spare = 0
	other := ringOf(t, s, "other", time.Minute)
	feed(other, 0, 100)
	if got := numbers(t, other, at(0), at(10)); len(got) != 1 {
		t.Errorf("with room again, %v is kept", got)
	}
}

// Memory is bounded while the disk does not take anything, and after that a ring begins
// with a keyframe.
func TestSlowDisk(t *testing.T) {
	s, _ := store(t, nil)
	r := ringOf(t, s, "door", time.Minute)
	r.disk.Lock()
	for second := range 10 {
		feed(r, second, 200_000)
		r.mu.Lock()
		n := len(r.waiting)
		r.mu.Unlock()
		if n > mostWaiting {
			t.Fatalf("%d bytes wait in memory", n)
		}
	}
	r.disk.Unlock()
	numbers(t, r, at(0), at(9.9)) // all are whole
	feed(r, 10, 1000)
	if got := numbers(t, r, at(10), at(11)); len(got) != 1 || !strings.Contains(got[0], "to 10.9s") {
		t.Errorf("after that, %v is kept", got)
	}
}

// A start removes what a killed process has left, and nothing of one that runs.
func TestStartsClean(t *testing.T) {
	s, _ := store(t, nil)
	r := ringOf(t, s, "door", time.Minute)
	feed(r, 0, 100)
	dead := filepath.Join(s.Options.Dir, ownPrefix+"dead", "door.1")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(s.Options.Dir, "theirs")
	if err := os.Mkdir(theirs, 0o700); err != nil {
		t.Fatal(err)
	}
	store(t, func(o *Options) { o.Dir = s.Options.Dir })
	if _, err := os.Stat(filepath.Dir(dead)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a dead process: %v", err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("a folder that is not ours: %v", err)
	}
	if got := numbers(t, r, at(0), at(10)); len(got) != 1 {
		t.Errorf("the packets of a process that runs: %v", got)
	}
}

// Films can be read to the end while their packets are removed.
func TestReadingOutlivesTheRing(t *testing.T) {
	s, _ := store(t, nil)
	r, err := s.Ring("door", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r.Begin(media.Track{Codec: "h264"})
	feed(r, 0, 100)
	r.Close()
	all, done, err := r.Packets(t.Context(), at(0), at(10))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	r.Remove()
	if n := size(t, s.dir); n != 0 {
		t.Errorf("%d bytes are left", n)
	}
	if data, err := all[0].Data(9); err != nil || data[0] != 9 {
		t.Errorf("the last packet: %v, %v", data, err)
	}
}
