package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is another process of this program.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{} // closed when it has
	err   error         // how it ended
}

// start runs a command of this program, which ends with this process however that ends. What
// it prints is added to NAME.log in dir.
func start(dir, name string, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: exec.Command(program, args...), log: log, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A process group of its own: Ctrl-C reaches only us, who then end it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go p.supervise(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// supervise starts the child and waits for it on one thread, since Linux signals a child when
// the thread ends that started it.
func (p *process) supervise(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = p.log.Close() }()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ending says how it ended; nil is a worker that was not started again.
func (p *process) ending() string {
	if p == nil {
		return "a worker that was not started again"
	}
	return fmt.Sprintf("%s (%v)", p.name, p.err)
}

// kill ends it at once, as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// endTime is how long a process may take to end when it is asked to.
const endTime = 15 * time.Second

// end asks it to end, as Ctrl-C does, and kills it if it does not.
func (p *process) end() error {
	p.signal(syscall.SIGCONT)
	p.signal(os.Interrupt)
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s ended with %w", p.name, p.err)
		}
		return nil
	case <-time.After(endTime):
		p.kill()
		return fmt.Errorf("%s did not end within %v", p.name, endTime)
	}
}

// signal ignores that it has ended.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// suspend stops it and waits until each of its threads is: those that run on another
// processor go on for a moment.
func (p *process) suspend() error {
	p.signal(syscall.SIGSTOP)
	for end := time.Now().Add(endTime); ; time.Sleep(time.Millisecond) {
		all, err := stopped(p.cmd.Process.Pid)
		if all || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s is not suspended after %v", p.name, endTime)
		}
	}
}

// stopped is whether all threads of a process are stopped, by proc(5).
func stopped(pid int) (bool, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		return false, errors.Join(fmt.Errorf("process %d has no threads", pid), err)
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		// The state follows the name, which is in parentheses and may hold some itself.
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || i+2 >= len(stat) || stat[i+2] != 'T' {
			return false, nil
		}
	}
	return true, nil
}
