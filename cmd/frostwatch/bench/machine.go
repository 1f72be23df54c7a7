package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/procfs"
)

// machine describes the machine on which figures were measured. What the system
// does not report is empty.
type machine struct {
	Date       time.Time `json:"date"`
	CPU        string    `json:"cpu"`
	Cores      int       `json:"cores"`
	MemoryMB   int       `json:"memory_mb"`
	Load       string    `json:"load_at_start"` // over the last 1, 5 and 15 minutes
	System     string    `json:"system"`
	Go         string    `json:"go"`
	Frostwatch string    `json:"frostwatch"`
	Command    string    `json:"command"`
}

func thisMachine(version string) machine {
	return machine{
		Date: time.Now().UTC().Truncate(time.Second),
		CPU:  procfs.CPU(), Cores: runtime.NumCPU(),
		MemoryMB: procKB("/proc/meminfo", "MemTotal") / 1024,
		Load:     loadAverage(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Frostwatch: version,
		Command: "frostwatch " + strings.Join(os.Args[1:], " "),
	}
}

// procKB is a value in kB from a file in /proc, or 0.
func procKB(file, name string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(procfs.Field(file, name), " kB"))
	if err != nil {
		return 0
	}
	return n
}

func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	f := strings.Fields(string(raw))
	return strings.Join(f[:min(len(f), 3)], " ")
}
