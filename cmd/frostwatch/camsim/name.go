package camsim

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// DefaultLoopGap is the pause between two plays of a file: long enough that no
// clip spans the end of one and the beginning of the next, since the framer keeps a
// picture on display for 3.5 s.
const DefaultLoopGap = 4 * time.Second

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Name makes a camera's name from a file's name.
func Name(file string) string {
	base := filepath.Base(file)
	name := strings.Trim(notInNames.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-._")
	if name == "" {
		return "video"
	}
	return name[:min(len(name), 64)]
}
