// Package procfs reads what Linux reports of the machine in /proc.
package procfs

import (
	"bufio"
	"os"
	"strings"
)

// CPU is the processor's name, or "" where the system does not report it.
func CPU() string { return Field("/proc/cpuinfo", "model name") }

// Field is the value in the first line "name: value" of a file, or "".
func Field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
