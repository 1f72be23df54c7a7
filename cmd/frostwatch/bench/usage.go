package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/ingest"
)

// spent is what this process used in a period of time.
type spent struct {
	wall, cpu time.Duration
	clips     int64
}

func (s spent) cpuPerMinute() float64 { return s.cpu.Seconds() / s.wall.Minutes() }

// spend waits for d and returns what was used meanwhile.
func (b *bench) spend(ctx context.Context, r *sink, d time.Duration) (spent, error) {
	begun, clips := time.Now(), r.clips.Load()
	before, err := ownCPU()
	if err != nil {
		return spent{}, err
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return spent{}, context.Cause(ctx)
	}
	after, err := ownCPU()
	return spent{time.Since(begun), after - before, r.clips.Load() - clips}, err
}

// ownCPU is the processor time so far of this process and of those that read cameras for
// it, without its other children.
func ownCPU() (time.Duration, error) {
	used, err := selfCPU()
	for _, pid := range readers() {
		one, e := cpuOf(pid)
		used, err = used+one, errors.Join(err, e)
	}
	return used, err
}

// readers are the processes that read cameras for this one.
func readers() (pids []string) {
	all, _ := filepath.Glob("/proc/self/task/*/children")
	for _, path := range all {
		raw, _ := os.ReadFile(path)
		for _, pid := range strings.Fields(string(raw)) {
			line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			if strings.Contains(string(line), "\x00ingest\x00"+ingest.ReadCommand) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// readersMB is the memory of the processes that read cameras for this one, now and at
// most, as far as it is not of files, which they share with this one.
func readersMB() (now, most float64) {
	for _, pid := range readers() {
		status := "/proc/" + pid + "/status"
		now += float64(procKB(status, "RssAnon")) / 1024
		most += float64(procKB(status, "VmHWM")-procKB(status, "RssFile")) / 1024
	}
	return now, most
}

func selfCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// cpuOf is the processor time of another process so far; an error once it has ended.
func cpuOf(pid string) (time.Duration, error) {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, fmt.Errorf("read a process's processor time: %w", err)
	}
	// Its name, in brackets, could hold anything (proc(5)).
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	const state, user, system, ticks = 0, 11, 12, 100
	if len(fields) <= system || fields[state] == "Z" {
		return 0, fmt.Errorf("process %s ended while it was measured", pid)
	}
	sum := 0
	for _, f := range fields[user : system+1] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, fmt.Errorf("read a process's processor time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// self means this process where a process id is expected.
const self = "self"

// residentMB is the memory that a process holds.
func residentMB(pid string) float64 { return float64(procKB("/proc/"+pid+"/status", "VmRSS")) / 1024 }

// steadyMB is the mean of what this process holds for a while.
func steadyMB(ctx context.Context, d time.Duration) (float64, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	sum, n := 0.0, 0.0
	for end := time.Now().Add(d); time.Now().Before(end); {
		select {
		case <-tick.C:
			sum, n = sum+heldMB(), n+1
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return sum / n, nil
}

// heldMB is what this process and those that read cameras for it hold.
func heldMB() float64 {
	now, _ := readersMB()
	return residentMB(self) + now
}

// peakMB is the most memory that a process held; for this process, since
// forgetPeak.
func peakMB(pid string) float64 { return float64(procKB("/proc/"+pid+"/status", "VmHWM")) / 1024 }

// forgetPeak resets this process's peak to what is resident now. getrusage
// can't be used instead: its peak is that of the whole life of the process.
func forgetPeak() error {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("reset the peak of memory: %w", err)
	}
	return nil
}
