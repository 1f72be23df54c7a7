package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// `up` on a disk that fills up: the terminal and /readyz say so and what to do, nothing
// ends, all goes on by itself once there is space, what was acknowledged is still
// there, and it ends in time while the disk is full.
func TestUpOnAFullDisk(t *testing.T) {
	need(t, "kcat")
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=200m"); err != nil {
		if errors.Is(err, syscall.EPERM) {
			shared.Missing(t, "the right to mount a tmpfs")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	data := filepath.Join(disk, "data")
	p, at := up(t, data)
	topicsKept := []string{"frostwatch.clips", "frostwatch.actions", "frostwatch.alerts", "frostwatch.evidence"}
	offsets := func() map[string]bool { return offsetsOf(t, at.Kafka, topicsKept) }
	await(t, "recognitions", time.Minute, func() bool { rs, _ := kcatActions(t, at.Kafka); return len(rs) > 10 })

	filler := fillDisk(t, disk)
	await(t, "/readyz to say that the disk is full", 30*time.Second, func() bool {
		code, body := get(t, "http://"+at.HTTP+"/readyz")
		return code == 503 && strings.Contains(body, "is full: nothing is recorded. Free some of its")
	})
	await(t, "a line on the terminal", 10*time.Second, func() bool {
		return strings.Contains(p.output(), "disk: the disk of "+filepath.Join(data, "kafka")+" is full")
	})
	acknowledged := offsets()
	if !p.running() {
		t.Fatal("up ended on a full disk")
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	freed := time.Now()
	await(t, "/readyz to be ready again", 30*time.Second, func() bool {
		code, _ := get(t, "http://"+at.HTTP+"/readyz")
		return code == 200
	})
	await(t, "recognitions of what came since", 30*time.Second, func() bool {
		rs, when := kcatActions(t, at.Kafka)
		return len(rs) > 0 && when[len(rs)-1].After(freed) && rs[len(rs)-1].End.After(freed)
	})
	missing(t, acknowledged, offsets(), "after the disk had space again")

	_ = fillDisk(t, disk)
	await(t, "a full disk again", 30*time.Second, func() bool {
		code, _ := get(t, "http://"+at.HTTP+"/readyz")
		return code == 503
	})
	acknowledged = offsets()
	told := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("ended with %v", p.err)
		}
	case <-time.After(time.Minute):
		t.Fatal("still runs a minute after SIGTERM on a full disk")
	}
	if took := time.Since(told); took > 10*time.Second+allowance {
		t.Errorf("ended %v after SIGTERM", took)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p, at = up(t, data)
	missing(t, acknowledged, offsets(), "after a restart")
	p.stop(t)
}

// fillDisk leaves nothing of a disk.
func fillDisk(t *testing.T, disk string) (file string) {
	t.Helper()
	file = filepath.Join(disk, "filler")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for {
		if _, err := f.Write(make([]byte, 1<<20)); errors.Is(err, syscall.ENOSPC) {
			return file
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// offsetsOf are the places of all records of some topics.
func offsetsOf(t *testing.T, broker string, names []string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, name := range names {
		for place := range strings.Lines(kcatPlaces(t, broker, name)) {
			out[name+" "+strings.TrimSpace(place)] = true
		}
	}
	return out
}

func kcatPlaces(t *testing.T, broker, topic string) string {
	t.Helper()
	out, err := exec.Command("kcat", "-C", "-e", "-q", "-o", "beginning", "-b", broker, "-t", topic, "-f", "%p %o %K %S\n").Output()
	if err != nil {
		t.Fatalf("kcat: %v", err)
	}
	return string(out)
}

func missing(t *testing.T, before, now map[string]bool, when string) {
	t.Helper()
	for place := range before {
		if !now[place] {
			t.Errorf("%s the record at %s is missing", when, place)
		}
	}
}
