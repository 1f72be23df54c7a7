package kafkatest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Suspend stops a process with SIGSTOP and waits until each of its threads is stopped:
// those that run on another processor go on for a moment, and may answer a request.
func Suspend(t testing.TB, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("suspend process %d: %v", p.Pid, err)
	}
	for end := time.Now().Add(20 * time.Second); !suspended(t, p.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d is not suspended after 20 s", p.Pid)
		}
	}
}

// suspended is whether all threads of a process are stopped, by proc(5).
func suspended(t testing.TB, pid int) bool {
	t.Helper()
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		t.Fatalf("read the threads of process %d: %d found, %v", pid, len(stats), err)
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		// The state follows the name, which is in parentheses and may hold some itself.
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || i+2 >= len(stat) || stat[i+2] != 'T' {
			return false
		}
	}
	return true
}
