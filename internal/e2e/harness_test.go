// Package e2e tries the built program as its users do: started by command line,
// watched with kcat, edited with redis-cli, fed by RTSP servers in processes of
// their own.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// stopTime is how long Ctrl-C may take.
const stopTime = 5 * time.Second

// program builds frostwatch once for all tests.
func program(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		built.dir, built.err = os.MkdirTemp("", "frostwatch-e2e-*")
		if built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(built.dir, "frostwatch"), "./cmd/frostwatch")
		cmd.Dir = shared.Root(t)
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "frostwatch")
}

var built struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// need ends the test where a program is missing.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			shared.Missing(t, p+" (`make setup-test` installs it)")
		}
	}
}

// process is a running frostwatch.
type process struct {
	cmd   *exec.Cmd
	mu    sync.Mutex
	out   bytes.Buffer
	ended chan struct{}
	err   error
}

// start runs frostwatch until the test ends or stop is called.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return startOf(t, program(t), args...)
}

// startOf is start with another version of the program.
func startOf(t testing.TB, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Dir = shared.Root(t) // ONNX Runtime is found in .native there
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			p.mu.Lock()
			p.out.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
		}
	}()
	go func() {
		p.err = p.cmd.Wait()
		_ = w.Close()
		<-read
		close(p.ended)
	}()
	t.Cleanup(func() {
		if p.running() {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		if t.Failed() {
			t.Logf("frostwatch %s:\n%s", strings.Join(args, " "), p.output())
		}
	})
	return p
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// stop sends Ctrl-C, and fails unless the process ends in time without an error.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatalf("stop: %v", err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("ended with %v", p.err)
		}
	case <-time.After(stopTime + 2*time.Second): // the allowance is the machine's
		t.Errorf("still running %v after Ctrl-C", stopTime)
	}
}

// await polls until ok, or fails after the deadline.
func await(t testing.TB, what string, deadline time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", deadline, what)
		}
	}
}

// addresses are those of endpoints.json.
type addresses struct{ Kafka, Redis, RTSP, HTTP, Console string }

func (a addresses) redisPort() string { return a.Redis[strings.LastIndexByte(a.Redis, ':')+1:] }

// up starts `frostwatch up` on the data directory and waits for its addresses.
func up(t testing.TB, data string, args ...string) (*process, addresses) {
	t.Helper()
	return upOf(t, program(t), data, args...)
}

// upOf is up with another version of the program.
func upOf(t testing.TB, program, data string, args ...string) (*process, addresses) {
	t.Helper()
	need(t, "redis-server", "redis-cli", "kcat")
	_ = os.Remove(filepath.Join(data, "endpoints.json"))
	p := startOf(t, program, append([]string{"up", "--data", data, "--ports", "auto"}, args...)...)
	var a addresses
	await(t, "endpoints.json", time.Minute, func() bool {
		if !p.running() {
			t.Fatalf("up ended: %v", p.err)
		}
		raw, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		return err == nil && json.Unmarshal(raw, &a) == nil
	})
	return p, a
}

// record is one Kafka record as kcat prints it.
type record struct {
	Time      time.Time
	Partition int
	Key       string
	Value     []byte
	Headers   string
}

// kcat reads a topic from its beginning to its end.
func kcat(t testing.TB, broker, topic string) []record {
	t.Helper()
	out, err := exec.Command("kcat", "-C", "-e", "-q", "-o", "beginning", "-b", broker, "-t", topic,
		"-f", `%T %p %K %S %h\n%k%s`+"\n").Output()
	if err != nil {
		t.Fatalf("kcat: %v", err)
	}
	var records []record
	for len(out) > 0 {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		f := strings.SplitN(string(head), " ", 5)
		n := func(i int) int {
			v, err := strconv.Atoi(f[i])
			if err != nil {
				t.Fatalf("kcat printed %q", head)
			}
			return v
		}
		key, value := max(n(2), 0), max(n(3), 0)
		records = append(records, record{
			Time: time.UnixMilli(int64(n(0))), Partition: n(1), Headers: f[4],
			Key: string(rest[:key]), Value: rest[key : key+value],
		})
		out = rest[key+value+1:]
	}
	return records
}

func kcatAlerts(t testing.TB, broker string) (alerts []topics.Alert, at []time.Time) {
	t.Helper()
	for _, r := range kcat(t, broker, "frostwatch.alerts") {
		a, err := topics.DecodeAlert(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		alerts, at = append(alerts, a), append(at, r.Time)
	}
	return alerts, at
}

func kcatActions(t testing.TB, broker string) (recognitions []topics.Recognition, at []time.Time) {
	t.Helper()
	for _, r := range kcat(t, broker, "frostwatch.actions") {
		a, err := topics.DecodeRecognition(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		recognitions, at = append(recognitions, a), append(at, r.Time)
	}
	return recognitions, at
}

// produce writes one record with kcat.
func produce(t testing.TB, broker, topic, key, value string) {
	t.Helper()
	cmd := exec.Command("kcat", "-P", "-b", broker, "-t", topic, "-k", key)
	cmd.Stdin = strings.NewReader(value)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kcat: %v\n%s", err, out)
	}
}

func redisCLI(t testing.TB, a addresses, args ...string) string {
	t.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-p", a.redisPort()}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// frostwatch runs a command to its end.
func frostwatch(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return runOf(t, program(t), args...)
}

// runOf is frostwatch with another version of the program.
func runOf(t testing.TB, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = shared.Root(t)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
