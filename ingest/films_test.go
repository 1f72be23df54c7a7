package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/topics"
)

// shelf is where a test keeps films, and a table of open alerts.
type shelf struct {
	dir     string
	records chan bus.Message

	mu    sync.Mutex
	films map[string]string // paths by alert
	asked int               // whether there is a film
	fails int               // how often storing fails from now on
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	return &shelf{dir: t.TempDir(), records: make(chan bus.Message, 100), films: map[string]string{}}
}

func (s *shelf) HasFilm(_ context.Context, alert string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.films[alert] != "", nil
}

func (s *shelf) PutFilm(_ context.Context, alert, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails > 0 {
		s.fails--
		return errors.New("the bucket is away")
	}
	to := filepath.Join(s.dir, fmt.Sprintf("%d.mp4", len(s.films)))
	s.films[alert] = to
	return os.WriteFile(to, content, 0o600)
}

func (s *shelf) film(alert string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.films[alert]
}

func (s *shelf) Keep(ctx context.Context, take func(bus.Message) error, read func(error)) {
	read(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.records:
			_ = take(m) // as of records that are no alerts
		}
	}
}

// raise opens an alert of a camera, and returns its id.
func (s *shelf) raise(t *testing.T, camera string, onset, at time.Time) topics.Alert {
	t.Helper()
	a := topics.Alert{
		ID: topics.AlertID("fall", topics.ClipID(camera, onset, 0)), State: topics.AlertRaised, Rule: "fall", Severity: "critical", Camera: camera,
		Label: "falling", Onset: onset, At: at, OnsetClip: "c", Clip: "c", Model: "m", Vocab: topics.VocabRef{Name: "v", Version: "1"},
	}
	value, err := topics.EncodeAlert(a)
	if err != nil {
		t.Fatal(err)
	}
	s.records <- bus.Message{Key: []byte(a.OpenKey()), Value: value}
	return a
}

func (s *shelf) clear(a topics.Alert) { s.records <- bus.Message{Key: []byte(a.OpenKey())} }

// filmed runs cameras until stop is called or the test ends, with films.
func filmed(t *testing.T, s *shelf, r *recorder, cameras ...topics.Camera) (stage *Stage, stop func()) {
	t.Helper()
	return filmedBy(t, s, r, func(*Options) {}, cameras...)
}

// filmedBy is filmed with other options.
func filmedBy(t *testing.T, s *shelf, r *recorder, change func(*Options), cameras ...topics.Camera) (stage *Stage, stop func()) {
	t.Helper()
	o := testOptions(r)
	change(&o)
	o.Films = &Films{
		Dir: filepath.Join(s.dir, "packets"), Camera: 64 << 20, Total: 64 << 20,
		Record: topics.RecordEvents, Pre: time.Second, Post: 500 * time.Millisecond, Keep: s, Open: s,
	}
	stage, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	end, err := stage.runFilms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	for _, c := range cameras {
		value, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		p.write(c.Name, string(value))
	}
	give := hold(t, stage, p)
	stop = sync.OnceFunc(func() {
		give()
		if err := end(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(o.Films.Dir); err != nil || len(left) > 0 {
			t.Errorf("left in the folder for packets: %v, %v", left, err)
		}
	})
	t.Cleanup(stop)
	return stage, stop
}

// counting is a film of 12 s at 10 frames a second, with a keyframe each second.
func counting(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "counting.mp4")
	ffmpeg(t, append(append([]string{"-f", "lavfi", "-i", "testsrc=size=160x96:rate=10:duration=12,format=yuv420p"}, args...), path)...)
	return path
}

// frames waits until a camera has given so many since its newest connection.
func frames(t *testing.T, r *recorder, camera string, epoch, n int) {
	t.Helper()
	until(t, fmt.Sprintf("%d frames", n), 20*time.Second, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.epochs[camera] >= epoch && len(r.times[camera]) >= n
	})
}

// plays decodes a film, and returns when it begins and for how long it lasts.
func plays(t *testing.T, path string) (begins time.Time, lasts time.Duration) {
	t.Helper()
	said, err := exec.Command("ffmpeg", "-v", "warning", "-xerror", "-i", path, "-fps_mode", "passthrough", "-f", "null", "-").CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("ffmpeg decodes the film with %v: %s", err, said)
	}
	var of struct {
		Format struct {
			Duration string
			Tags     struct {
				Created time.Time `json:"creation_time"`
			}
		}
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format=duration:format_tags=creation_time", "-of", "json", path).Output()
	if err == nil {
		err = json.Unmarshal(out, &of)
	}
	if err == nil {
		lasts, err = time.ParseDuration(of.Format.Duration + "s")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return of.Format.Tags.Created, lasts
}

// An alert has a film from before its onset until after its end, also where the camera was
// away in the middle of it; it is made once.
func TestAlertsAreFilmed(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{"h264": "-c:v libx264 -g 10 -bf 2", "hevc": "-c:v libx265 -x265-params log-level=none:keyint=10 -preset ultrafast"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
				addFile(t, s, "cam", counting(t, strings.Fields(args)...), camsim.FileOptions{})
			})
			s, r := newShelf(t), newRecorder()
			s.fails = 1
			filmed(t, s, r, topics.Camera{Name: "cam", URL: sim.URL("cam")})
			frames(t, r, "cam", 1, 25)
			onset := time.Now().Add(-300 * time.Millisecond)
			a := s.raise(t, "cam", onset, time.Now())
			sim.Kick("cam")
			frames(t, r, "cam", 2, 10)
			ended := time.Now()
			s.clear(a)
			until(t, "the film", 20*time.Second, func() bool { return s.film(a.ID) != "" })
			begins, lasts := plays(t, s.film(a.ID))
			// creation_time is in whole seconds.
			if d := onset.Sub(begins); d < 900*time.Millisecond || d > 4*time.Second {
				t.Errorf("it begins %v before the onset, want a keyframe at least 1 s before", d)
			}
			if end := begins.Add(lasts); end.Before(ended.Add(-500*time.Millisecond)) || end.After(ended.Add(2*time.Second)) {
				t.Errorf("it ends at %v, the alert at %v", end, ended)
			}
			again := s.raise(t, "cam", onset, onset) // the same alert, as after a restart
			s.clear(again)
			until(t, "a look for the film", 20*time.Second, func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.asked >= 2
			})
		})
	}
}

// A worker that stops makes the films of what is still going on.
func TestFilmsAreMadeAtTheEnd(t *testing.T) {
	t.Parallel()
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264", "-g", "10"), camsim.FileOptions{})
	})
	s, r := newShelf(t), newRecorder()
	stage, stop := filmed(t, s, r, topics.Camera{Name: "cam", URL: sim.URL("cam")})
	frames(t, r, "cam", 1, 20)
	a := s.raise(t, "cam", time.Now().Add(-200*time.Millisecond), time.Now())
	until(t, "the alert to be taken", 10*time.Second, func() bool { return stage.films.left() == 1 })
	stop()
	if s.film(a.ID) == "" {
		t.Fatal("no film of the alert that was open")
	}
	plays(t, s.film(a.ID))
}

// Of what may not be kept there is nothing on disk, and no film.
func TestWhatIsNotFilmed(t *testing.T) {
	t.Parallel()
	mask := topics.Polygon{}
	if err := mask.UnmarshalText([]byte("0,0 0.5,0.5")); err != nil {
		t.Fatal(err)
	}
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) {
		addFile(t, s, "cam", counting(t, "-c:v", "libx264", "-g", "10"), camsim.FileOptions{})
	})
	s, r := newShelf(t), newRecorder()
	stage, _ := filmed(t, s, r,
		topics.Camera{Name: "masked", URL: sim.URL("cam"), Masks: []topics.Polygon{mask}},
		topics.Camera{Name: "none", URL: sim.URL("cam"), Record: topics.RecordNone},
		topics.Camera{Name: "late", URL: sim.URL("cam")})
	for _, name := range []string{"masked", "none", "late"} {
		frames(t, r, name, 1, 15)
		s.raise(t, name, time.Now().Add(-300*time.Millisecond), time.Now())
	}
	// A worker that took the camera over after the alert has nothing of it.
	s.clear(s.raise(t, "late", time.Now().Add(-time.Hour), time.Now().Add(-time.Hour)))
	s.raise(t, "another-workers", time.Now(), time.Now())
	s.records <- bus.Message{Key: []byte("late/rubbish"), Value: []byte("{")}
	s.raise(t, "late", time.Now().Add(time.Hour), time.Now().Add(time.Hour))
	until(t, "the films that can be made", 20*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.asked == 2 && len(s.films) == 1
	})
	entries, err := os.ReadDir(stage.films.store.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "late.") {
			t.Errorf("%s is on the disk", e.Name())
		}
	}
	for alert, path := range s.films {
		if !strings.HasPrefix(alert, "fall/late-") {
			t.Errorf("a film of %s", alert)
		}
		plays(t, path)
	}
}

// Where a camera's picture changes, the film shows that of the moment, and plays.
func TestFilmOfAPictureThatChanges(t *testing.T) {
	t.Parallel()
	small := counting(t, "-c:v", "libx264", "-g", "10", "-t", "1")
	large := counting(t, "-c:v", "libx264", "-g", "10", "-t", "2", "-vf", "scale=320:192")
	var both []byte
	for _, path := range []string{small, large} {
		raw := filepath.Join(t.TempDir(), "raw.ts")
		ffmpeg(t, "-i", path, "-c", "copy", raw)
		content, err := os.ReadFile(raw)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, content...)
	}
	file := filepath.Join(t.TempDir(), "both.ts")
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	s, r := newShelf(t), newRecorder()
	filmed(t, s, r, topics.Camera{Name: "cam", URL: "file://" + file})
	until(t, "the larger picture", 20*time.Second, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.times["cam"]) >= 22
	})
	a := s.raise(t, "cam", time.Now().Add(-300*time.Millisecond), time.Now())
	s.clear(a)
	until(t, "the film", 20*time.Second, func() bool { return s.film(a.ID) != "" })
	plays(t, s.film(a.ID))
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "frame=width", "-of", "csv=p=0", s.film(a.ID)).Output()
	if err != nil || bytes.Contains(out, []byte("160")) || !bytes.Contains(out, []byte("320")) {
		t.Errorf("%v: widths %s, want 320 alone", err, out)
	}
}

// Anybody may write open alerts: of one camera only some are followed, since each film is a
// copy of the same packets.
func TestFilmsOfOneCameraAreBounded(t *testing.T) {
	f := &filming{Stage: &Stage{Options: Options{Now: time.Now}}, reels: map[string]*reel{"door": {}, "yard": {}}, open: map[string]string{}, scenes: map[string]*scene{}}
	put := func(camera string, n int) error {
		a := topics.Alert{ID: fmt.Sprintf("%s/%d", camera, n), State: topics.AlertRaised, Rule: fmt.Sprint("r", n), Severity: "info", Camera: camera, Label: "x", Onset: time.Now(), At: time.Now(), OnsetClip: "c", Clip: "c", Model: "m", Vocab: topics.VocabRef{Name: "v", Version: "1"}}
		b, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		return f.take(bus.Message{Key: []byte(a.OpenKey()), Value: b})
	}
	for n := range 2 * filmsCamera {
		if err := put("door", n); (err == nil) != (n < filmsCamera) {
			t.Errorf("alert %d: %v", n, err)
		}
	}
	if err := put("yard", 0); err != nil {
		t.Errorf("another camera: %v", err)
	}
}
