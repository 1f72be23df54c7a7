package ingest

import (
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// clockFilm is a film of 40 s at 10 frames a second whose brightness says which frame it is.
func clockFilm(t *testing.T, size string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), size+".mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "color=black:size="+size+":rate=10:duration=40,format=gray,geq=lum=16+N/2", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "10", "-bf", "0", "-qp", "4", path)
	return path
}

// frameOf is which frame of a clockFilm has a mean luma, of full range.
func frameOf(luma float64) float64 { return 2 * luma }

// lumaSink notes which frame of a clockFilm came last.
type lumaSink struct {
	*recorderSink
	newest *atomic.Int64 // thousandths of a luma
}

func (s lumaSink) Frame(ctx context.Context, f *media.Frame) error {
	rgb, err := f.RGB(nil)
	if err != nil {
		return err
	}
	sum := 0
	for i := 0; i < len(rgb); i += 3 {
		sum += int(rgb[i])
	}
	s.newest.Store(int64(1000 * sum / (len(rgb) / 3)))
	return s.recorderSink.Frame(ctx, f)
}

// shownBy are the frames of a clockFilm with which a film begins and ends.
func shownBy(t *testing.T, path string) (first, last float64) {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-vf", "scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", "-").Output()
	if err != nil || len(out) < 6 {
		t.Fatalf("decode the film: %v, %d bytes", err, len(out))
	}
	return frameOf(float64(out[0])), frameOf(float64(out[len(out)-3]))
}

// late is the address of a server whose answers come later.
func late(t *testing.T, to string, by time.Duration) string {
	t.Helper()
	return talker(t, func(client net.Conn) {
		server, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		type piece struct {
			at   time.Time
			data []byte
		}
		pieces := make(chan piece, 1000)
		var all sync.WaitGroup
		all.Go(func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		})
		all.Go(func() {
			defer close(pieces)
			for {
				b := make([]byte, 32<<10)
				n, err := server.Read(b)
				if err != nil {
					return
				}
				pieces <- piece{time.Now().Add(by), b[:n]}
			}
		})
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			if _, err := client.Write(p.data); err != nil {
				break
			}
		}
		_ = client.Close()
		_ = server.Close()
		for range pieces { // until its sender ends
			continue
		}
		all.Wait()
	})
}

// The main stream is kept for films, and the other one is looked at: a film covers what it
// is about, whichever of the two is later. It takes some seconds, since films do.
func TestAFilmOfTheMainStream(t *testing.T) {
	t.Parallel()
	main, sub := clockFilm(t, "320x192"), clockFilm(t, "160x96")
	for name, by := range map[string][2]time.Duration{"main is late": {time.Second, 0}, "sub is late": {0, time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
				addFile(t, s, "main", main, camsim.FileOptions{})
				addFile(t, s, "sub", sub, camsim.FileOptions{})
			})
			s, r := newShelf(t), newRecorder()
			var newest atomic.Int64
			filmedBy(t, s, r, func(o *Options) {
				o.NewSink = func(c topics.Camera, send bus.SendFunc) (Sink, error) {
					return lumaSink{&recorderSink{recorder: r, name: c.Name, send: send}, &newest}, nil
				}
			}, topics.Camera{Name: "cam", URL: "rtsp://" + late(t, sim.Addr(), by[0]) + "/main", Watch: "rtsp://" + late(t, sim.Addr(), by[1]) + "/sub"})
			now := func() float64 { return frameOf(float64(newest.Load()) / 1000) }
			until(t, "both streams", 20*time.Second, func() bool {
				m := r.last("cam").Main
				return m != nil && m.State == topics.StreamStreaming && m.Width == 320 && len(r.frames("cam")) > 0
			})
			begun := now()
			until(t, "enough of them", 20*time.Second, func() bool { return now() >= begun+25 })
			onset := now()
			a := s.raise(t, "cam", time.Now(), time.Now())
			until(t, "half a second more", 10*time.Second, func() bool { return now() >= onset+5 })
			ended := now()
			s.clear(a)
			until(t, "the film", 20*time.Second, func() bool { return s.film(a.ID) != "" })
			first, last := shownBy(t, s.film(a.ID))
			if pre, post := (onset-first)/10, (last-ended)/10; pre < .7 || post < .2 || pre > 6 || post > 4.5 {
				t.Errorf("the film shows %.1f s before the onset and %.1f s after the end, want 1 s and 0.5 s at least", pre, post)
			}
			if st := r.last("cam"); st.Width != 160 || st.State != topics.StreamStreaming {
				t.Errorf("looked at: %+v", st)
			}
		})
	}
}

// One stream that fails leaves the other as it is, and is named beside it.
func TestOneOfTwoStreamsFails(t *testing.T) {
	t.Parallel()
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264", "-g", "10"), camsim.FileOptions{})
	})
	s, r := newShelf(t), newRecorder()
	filmed(t, s, r,
		topics.Camera{Name: "blind", URL: sim.URL("cam"), Watch: "rtsp://" + deadPort(t) + "/sub"},
		topics.Camera{Name: "filmless", URL: "rtsp://" + deadPort(t) + "/main", Watch: sim.URL("cam")},
		topics.Camera{Name: "refused", URL: "rtsp://169.254.1.1/main", Watch: sim.URL("cam")})
	for name, want := range map[string]struct {
		state, main topics.StreamState
		why         string
	}{
		"blind":    {topics.StreamWaiting, topics.StreamStreaming, "connection refused"},
		"filmless": {topics.StreamStreaming, topics.StreamWaiting, "no films of its alerts: the main stream: connection refused"},
		"refused":  {topics.StreamStreaming, topics.StreamStopped, "no films of its alerts: the main stream: 169.254.1.1 is an address of this machine's own link"},
	} {
		until(t, name, 20*time.Second, func() bool {
			st := r.last(name)
			return st.State == want.state && st.Main != nil && st.Main.State == want.main && strings.HasPrefix(st.Why(), want.why)
		})
	}
	if w := r.warning("camera filmless, main stream"); w != "connection refused" {
		t.Errorf("warning %q", w)
	}
}

// Where no packets are kept, nobody connects to the main stream.
func TestTheMainStreamIsLeftAlone(t *testing.T) {
	t.Parallel()
	var called atomic.Int32
	main := talker(t, func(net.Conn) { called.Add(1) })
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264", "-g", "10"), camsim.FileOptions{})
	})
	mask := topics.Polygon{}
	if err := mask.UnmarshalText([]byte("0,0 0.5,0.5")); err != nil {
		t.Fatal(err)
	}
	s, r := newShelf(t), newRecorder()
	filmed(t, s, r,
		topics.Camera{Name: "none", URL: "rtsp://" + main + "/main", Watch: sim.URL("cam"), Record: topics.RecordNone},
		topics.Camera{Name: "masked", URL: "rtsp://" + main + "/main", Watch: sim.URL("cam"), Masks: []topics.Polygon{mask}})
	for _, name := range []string{"none", "masked"} {
		frames(t, r, name, 1, 10)
		if st := r.last(name); st.Main != nil || st.Why() != "" {
			t.Errorf("%s: %+v", name, st)
		}
	}
	if n := called.Load(); n > 0 {
		t.Errorf("the main streams were called %d times", n)
	}
}

// A record that names another stream to look at is not the operator's own camera.
func TestAnotherWatchIsNotTheOperators(t *testing.T) {
	own := topics.Camera{Name: "cam", URL: "rtsp://10.0.0.7/main", Watch: "rtsp://10.0.0.7/sub"}
	other := own
	other.Watch = "rtsp://127.0.0.1/${SECRET}"
	trust := Trust{Own: []topics.Camera{own}}
	if err := trust.Refusal(own); err != nil {
		t.Error(err)
	}
	if err := trust.Refusal(other); err == nil || !strings.Contains(err.Error(), "this machine itself") {
		t.Errorf("refused for %v", err)
	}
	if names := trust.Withheld(other); len(names) != 1 || names[0] != "SECRET" {
		t.Errorf("withheld: %v", names)
	}
}
