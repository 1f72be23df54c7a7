package ingest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// process is another process of this program, which reads cameras.
type process struct {
	in  *os.File // what it reads
	out *os.File // what it writes
	pid int

	ended  chan struct{} // closed once it has been waited for
	err    error         // of that
	report crashReport

	mu   sync.Mutex
	gone bool
	late *time.Timer
}

// death is how a process has ended.
type death struct {
	cause  string
	camera string // that it worked for; empty: it is not known
	text   string
}

// The causes of deaths.
const (
	causeCrash = "crash"
	causeKill  = "killed"
	causeHung  = "hung"
	causeEnd   = "ended"
	causeStart = "not started"
	causeIdle  = "" // it was asked to end
)

// spawn starts a process that does a subcommand of `frostwatch ingest`. What it may know
// comes over its standard input: its environment holds none of ours but what its libraries
// go by.
func spawn(command string) (*process, error) {
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start a process that reads cameras: %w", err)
	}
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a process that reads cameras: %w", err), theirIn.Close(), ourIn.Close())
	}
	p := &process{in: ourIn, out: ourOut, ended: make(chan struct{})}
	cmd := exec.Command(own(), "ingest", command)
	cmd.Stdin, cmd.Stdout, cmd.Env = theirIn, theirOut, environment()
	// A group of its own: Ctrl-C must reach only us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go p.supervise(cmd, started)
	err = <-started
	_, _ = theirIn.Close(), theirOut.Close() // the process has its own
	if err != nil {
		_, _ = ourIn.Close(), ourOut.Close()
		return nil, fmt.Errorf("start a process that reads cameras: %w", err)
	}
	return p, nil
}

// supervise starts it and waits for it on one locked thread: Linux signals the parent's
// death when the thread that started it ends.
func (p *process) supervise(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	errs, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	p.report.read(errs)
	p.err = cmd.Wait()
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	close(p.ended)
}

// kill ends the process at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone { // or its number may be another's
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// endBy ends the process if it has not ended by itself after a while.
func (p *process) endBy(d time.Duration) {
	late := time.AfterFunc(d, p.kill)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = late
}

// end ends the process, if it still runs, and says how it died.
func (p *process) end() death {
	_ = p.in.Close()
	timer := time.AfterFunc(time.Second, p.kill) // it is writing its report
	<-p.ended
	timer.Stop()
	p.mu.Lock()
	if p.late != nil {
		p.late.Stop()
	}
	p.mu.Unlock()
	_ = p.out.Close()
	d := death{cause: causeEnd, camera: p.report.camera, text: topics.Clean(p.report.text())}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		d.cause = causeCrash
		if status, is := exit.Sys().(syscall.WaitStatus); is && status.Signaled() {
			if d.text == "" {
				d.text = status.Signal().String()
			}
			if status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM {
				d.cause = causeKill
			}
		}
	}
	return d
}

// environment is what the process has of ours.
func environment() []string {
	// So that Go's report of a crash begins with the label of the goroutine that crashed.
	out := []string{"GOTRACEBACK=single", "GODEBUG=tracebacklabels=1"}
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GOCOVERDIR", "GORACE", "MALLOC_ARENA_MAX", "RES_OPTIONS", "ASAN_OPTIONS",
	} {
		if value, set := os.LookupEnv(name); set {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// crashReport is what Go writes when a process crashes.
type crashReport struct {
	lines  []string // the first few
	camera string   // by the label of the goroutine that comes first
	found  bool     // it has come
}

var (
	goroutine = regexp.MustCompile(`^goroutine \d+ .*\[.*\]:$`)
	labelled  = regexp.MustCompile(`labels:\{.*"` + cameraLabel + `": ("(?:[^"\\]|\\.)*")`)
)

// read reads all of it, and keeps what is of use. The first goroutine is the one that
// crashed.
func (c *crashReport) read(from io.Reader) {
	const longest, first = 64 << 10, 4
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 4096), longest)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line != "" && len(c.lines) < first && !c.found {
			c.lines = append(c.lines, line[:min(len(line), 200)])
		}
		if c.found || !goroutine.MatchString(line) {
			continue
		}
		c.found = true
		if m := labelled.FindStringSubmatch(line); m != nil {
			c.camera, _ = strconv.Unquote(m[1])
		}
	}
	_, _ = io.Copy(io.Discard, from) // or the process would wait
}

// text is how the report begins.
func (c *crashReport) text() string { return strings.Join(c.lines, "; ") }
