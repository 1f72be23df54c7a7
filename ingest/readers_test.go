package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	traces "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/internal/crashtest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// faulty is a sink that crashes with the first frame.
type faulty struct{ Sink }

func (f faulty) Frame(context.Context, *media.Frame) error {
	crashtest.InC()
	return nil
}

// faultyFor makes sinks that crash, of cameras whose names say so.
func faultyFor(c topics.Camera, s Sink) Sink {
	switch c.Name {
	case "segv":
		return faulty{s}
	case "segv-at-once":
		crashtest.InC()
	case "panic":
		panic("a fault in Go")
	}
	return s
}

// readForTest reads cameras by the real framer.
func readForTest() error {
	return Read(context.Background(), os.Stdin, os.Stdout, func(_ json.RawMessage, e Ends) (Options, error) {
		f, err := framer.New(framer.Options{
			Names: topics.Names{Prefix: "t."}, Window: time.Second, Stride: topics.Stride{Steps: 4}, ShortSide: 64, Quality: 80, Queue: 4,
			Logger: e.Logger, Meter: e.Meter, Tracer: e.Tracer, Propagator: e.Propagator, Reporter: e.Reporter,
		})
		if err != nil {
			return Options{}, err
		}
		o := testOptions(newRecorder())
		o.Logger, o.Meter, o.Reporter, o.Getenv = e.Logger, e.Meter, e.Reporter, e.Getenv
		o.Window = time.Second
		o.NewSink = func(c topics.Camera, send bus.SendFunc) (Sink, error) {
			s, err := f.Stream(c, send)
			return faultyFor(c, s), err
		}
		return o, nil
	})
}

// fleetOf is a stage whose cameras are read by other processes, with a partition that it
// holds until the test ends.
type fleetOf struct {
	*Stage
	*recorder
	tape *tape

	clips sync.Mutex
	of    map[string]int // clips, by camera
}

func readBy(t *testing.T, readers Readers, change func(*Options)) *fleetOf {
	t.Helper()
	f := &fleetOf{recorder: newRecorder(), tape: newTape(0), of: map[string]int{}}
	o := testOptions(f.recorder)
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	readers.Setup, readers.Catalog = json.RawMessage("{}"), telemetry.NewCatalog()
	readers.Tracer, readers.Propagator = traces.Tracer{}, propagation.TraceContext{}
	o.Readers = &readers
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Stage = s
	f.tape.send = f.Send
	stop := s.fleet.run(t.Context())
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	hold(t, s, f.tape)
	return f
}

// Send counts clips; the rest is the recorder's.
func (f *fleetOf) Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	for _, m := range msgs {
		if m.Topic != "t.clips" {
			return f.recorder.Send(ctx, msgs...)
		}
		c, err := topics.DecodeClip(m.Value)
		if err != nil {
			return nil, err
		}
		f.clips.Lock()
		f.of[c.Camera]++
		f.clips.Unlock()
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

func (f *fleetOf) add(name, url string) {
	f.tape.write(name, fmt.Sprintf(`{"name":%q,"url":%q}`, name, url))
}

func (f *fleetOf) clipsOf(camera string) int {
	f.clips.Lock()
	defer f.clips.Unlock()
	return f.of[camera]
}

// moreClips waits for clips that are made from now on.
func (f *fleetOf) moreClips(t *testing.T, cameras ...string) {
	t.Helper()
	for _, name := range cameras {
		before := f.clipsOf(name)
		until(t, "clips of "+name, 20*time.Second, func() bool { return f.clipsOf(name) > before })
	}
}

// pids are the processes that read, by the cameras that they have.
func (f *fleetOf) pids() map[string]int {
	f.fleet.mu.Lock()
	defer f.fleet.mu.Unlock()
	out := map[string]int{}
	for m := range f.fleet.cameras {
		if m.process != nil && m.process.conn != nil {
			out[m.camera.Name] = m.process.pid
		}
	}
	return out
}

// signal sends a signal to the process that reads a camera, once there is one.
func (f *fleetOf) signal(t *testing.T, camera string, s syscall.Signal) (pid int) {
	t.Helper()
	until(t, "a process that reads "+camera, 20*time.Second, func() bool { pid = f.pids()[camera]; return pid > 1 })
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
	return pid
}

func (f *fleetOf) statuses(camera string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.status[camera])
}

// streams waits until a camera has said that it streams, after so many statuses.
func (f *fleetOf) streams(t *testing.T, camera string, after int) {
	t.Helper()
	until(t, camera+" to stream", 20*time.Second, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, s := range f.status[camera][min(after, len(f.status[camera])):] {
			if s.State == topics.StreamStreaming {
				return true
			}
		}
		return false
	})
}

func demoCamera(t *testing.T) *camsim.Server {
	t.Helper()
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	return simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", fence, camsim.FileOptions{}) })
}

// A process that crashes takes its own cameras with it, and only for a moment.
func TestACrashedProcessIsReplaced(t *testing.T) {
	sim := demoCamera(t)
	t.Setenv("FROSTWATCH_SECRET", "of Kafka")
	f := readBy(t, Readers{Most: 2, Each: 2}, func(o *Options) {
		o.Getenv = func(name string) (string, bool) { return "cam", name == "CAM" }
	})
	f.add("a", sim.URL("cam"))
	f.add("b", strings.TrimSuffix(sim.URL("cam"), "cam")+"${CAM}")
	f.moreClips(t, "a", "b")
	f.add("other", sim.URL("cam"))
	f.moreClips(t, "other")
	pids, before, others := f.pids(), f.statuses("a"), f.statuses("other")
	if pids["a"] != pids["b"] || pids["a"] == pids["other"] {
		t.Fatalf("processes of the cameras: %v", pids)
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pids["b"]))
	if err != nil || strings.Contains(string(raw), "FROSTWATCH_SECRET") {
		t.Errorf("the process knows secrets: %q, %v", raw, err)
	}
	begun := time.Now()
	f.signal(t, "a", syscall.SIGSEGV)
	f.streams(t, "a", before)
	t.Logf("it streams again after %v", time.Since(begun).Round(time.Millisecond))
	f.moreClips(t, "a", "b")
	if !f.saw("a", topics.StreamWaiting, "the process that reads it")() { // it may be blamed for the crash
		t.Error("no status says what was")
	}
	if n := f.statuses("other"); f.pids()["other"] != pids["other"] || f.saw("other", topics.StreamWaiting, "")() {
		t.Errorf("the other process's camera was disturbed: %d statuses, %d before", n, others)
	}
}

// nobody is the URL of a camera that can't be reached.
func nobody(t *testing.T, path string) string { return "rtsp://" + deadPort(t) + "/" + path }

// A camera whose stream crashes its process is found, put aside, and at the second time
// not read for a while. Another URL is another chance.
func TestACameraThatCrashesItsProcess(t *testing.T) {
	sim := demoCamera(t)
	for _, name := range []string{"segv", "panic"} {
		t.Run(name, func(t *testing.T) {
			f := readBy(t, Readers{Most: 1}, nil)
			f.add("good", nobody(t, "good"))
			until(t, "a process", 10*time.Second, func() bool { return f.pids()["good"] != 0 })
			f.add(name, sim.URL("cam"))
			until(t, "the camera in quarantine", 20*time.Second, f.saw(name, topics.StreamWaiting, "its stream crashed the process that reads it 2 times: it is tried again at"))
			if !f.saw(name, topics.StreamWaiting, "now it is read by one of its own")() {
				t.Error("it was not put aside before")
			}
			if w := f.warning("camera " + name); !strings.Contains(w, "2 times") {
				t.Errorf("readiness says %q", w)
			}
			if n := f.interruptions("good"); n != 1 {
				t.Errorf("the other camera was interrupted %d times, want once", n)
			}
			if got := f.last(name); got.RetryAt.IsZero() || got.OfflineSince.IsZero() {
				t.Errorf("its status is %+v", got)
			}
			if name == "panic" {
				return // it would at any URL
			}
			f.add(name, nobody(t, "other"))
			until(t, "the other URL to be tried", 10*time.Second, f.saw(name, topics.StreamWaiting, "connection refused"))
		})
	}
}

// interruptions are how often a camera lost its process without being at fault.
func (f *fleetOf) interruptions(camera string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.status[camera] {
		if strings.HasPrefix(s.Reason, "the process that reads it has ended") {
			n++
		}
	}
	return n
}

// A camera in quarantine is tried again.
func TestQuarantineEnds(t *testing.T) {
	f := readBy(t, Readers{Most: 1, times: readerTimes{
		hang: 10 * time.Second, quarantine: 50 * time.Millisecond, hold: time.Hour, recent: time.Hour, finish: time.Second,
	}}, nil)
	f.add("segv-at-once", nobody(t, "bad"))
	until(t, "a third crash", 20*time.Second, f.saw("segv-at-once", topics.StreamWaiting, "3 times"))
}

// A camera that was put aside, and whose process has held, is read with others again.
func TestCamerasThatHeldComeBack(t *testing.T) {
	f := readBy(t, Readers{Most: 1, times: readerTimes{
		hang: 10 * time.Second, quarantine: time.Hour, hold: 2 * time.Second, recent: time.Hour, finish: time.Second,
	}}, nil)
	f.add("one", nobody(t, "one"))
	f.add("other", nobody(t, "other"))
	both := func() bool { p := f.pids(); return p["one"] != 0 && p["one"] == p["other"] }
	until(t, "one process for both", 20*time.Second, both)
	for range 2 { // deaths that say nothing
		pid := f.signal(t, "one", syscall.SIGKILL)
		until(t, "other processes", 20*time.Second, func() bool { p := f.pids(); return p["one"] != pid && p["other"] != pid })
	}
	until(t, "a process for each", 20*time.Second, func() bool { p := f.pids(); return len(p) == 2 && p["one"] != p["other"] })
	until(t, "one process for both again", 20*time.Second, both)
}

// Where a death doesn't say by which camera it came, the suspects are sifted.
func TestASilentDeathIsTracedByHalving(t *testing.T) {
	f := readBy(t, Readers{Most: 1}, nil)
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		f.add(name, nobody(t, name))
	}
	until(t, "a process for all", 10*time.Second, func() bool { return len(f.pids()) == len(names) })
	const guilty = "c"
	quarantined := f.saw(guilty, topics.StreamWaiting, "2 times")
	for kills := 0; !quarantined(); kills++ {
		if kills == 6 {
			t.Fatalf("killed %d times, and it is not found", kills)
		}
		pid := f.signal(t, guilty, syscall.SIGKILL)
		until(t, "another process for it, or none", 20*time.Second, func() bool {
			now := f.pids()[guilty]
			return now != pid && (now != 0 || quarantined())
		})
	}
	for _, name := range names {
		if name != guilty && f.saw(name, topics.StreamWaiting, "2 times")() {
			t.Errorf("%s is innocent, and in quarantine", name)
		}
	}
	until(t, "the others to be read", 10*time.Second, func() bool { return len(f.pids()) == len(names)-1 })
}

// A process that hangs is ended, and replaced.
func TestAProcessThatHangsIsReplaced(t *testing.T) {
	f := readBy(t, Readers{Most: 1, times: readerTimes{
		hang: 3 * time.Second, quarantine: time.Hour, hold: time.Hour, recent: time.Hour, finish: time.Second,
	}}, nil)
	f.add("a", nobody(t, "a"))
	f.add("b", nobody(t, "b"))
	until(t, "a process", 10*time.Second, func() bool { return f.last("b").State == topics.StreamWaiting })
	pid := f.signal(t, "a", syscall.SIGSTOP)
	until(t, "another process", 20*time.Second, func() bool { p := f.pids()["a"]; return p != 0 && p != pid })
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the process that hung is still there")
	}
}

const workerForTest = "a worker with a process that reads cameras"

// workWithReader prints the number of its process, and waits to be killed.
func workWithReader() {
	o := testOptions(newRecorder())
	o.Readers = &Readers{Most: 1, Setup: json.RawMessage("{}"), Catalog: telemetry.NewCatalog(), Tracer: traces.Tracer{}, Propagator: propagation.TraceContext{}}
	o.Meter = noop.NewMeterProvider().Meter("t")
	s, err := New(o)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	s.fleet.run(ctx)
	b := newBoard("t.status", newTape(0), o.Logger)
	s.fleet.start(ctx, topics.Camera{Name: "cam", URL: "rtsp://127.0.0.1:1/"}, before{}, b, o.Bus.Send)
	for {
		s.fleet.mu.Lock()
		if len(s.fleet.homes) == 1 && s.fleet.homes[0].conn != nil {
			fmt.Println(s.fleet.homes[0].pid)
			s.fleet.mu.Unlock()
			select {}
		}
		s.fleet.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

// A worker that is killed leaves no process behind.
func TestAKilledWorkerLeavesNoProcess(t *testing.T) {
	cmd := exec.Command(own(), workerForTest)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the worker says nothing")
	}
	child := filepath.Join("/proc", lines.Text())
	if _, err := os.Stat(child); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	until(t, "the process to end", 10*time.Second, func() bool {
		raw, err := os.ReadFile(filepath.Join(child, "stat"))
		return err != nil || strings.Contains(string(raw), ") Z ") // nobody may wait for orphans here
	})
}

// Starts and ends of processes leave no descriptors open.
func TestProcessesLeaveNoDescriptors(t *testing.T) {
	count := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := 0
	for i := range 40 {
		p, err := spawn(ReadCommand)
		if err != nil {
			t.Fatal(err)
		}
		p.kill()
		if d := p.end(); d.cause != causeKill {
			t.Fatalf("it died by %+v", d)
		}
		if i == 2 {
			before = count()
		}
	}
	if after := count(); after > before+2 {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}
