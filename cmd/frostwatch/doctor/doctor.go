// Package doctor finds what keeps Frostwatch from working on a machine, and says what to
// do about it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Grade is how bad a finding is.
type Grade string

// Grades, from the best.
const (
	OK      Grade = "ok"
	Warning Grade = "warning" // it works, but less well than it could
	Wrong   Grade = "wrong"   // something does not work
)

// Finding is what was found about one thing. Its texts may hold what others wrote, and are
// cleaned when they are printed.
type Finding struct {
	Part  string `json:"part"` // what was looked at, such as "disk"
	Grade Grade  `json:"grade"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// Options of a look.
type Options struct {
	Version string
	// Config is what is in force; File is the file that it comes from, the zero value if
	// there is none.
	Config  config.Config
	File    config.File
	Mistake error // why the file can't be read
	// Data is the data directory of an `up`; empty: the stages are processes of their own.
	Data string
	// Idle is why no server is looked for; nil: they are asked.
	Idle error
}

// Look looks at everything, in order, and returns at least one finding for each part. What
// does not answer takes at most some seconds.
func Look(ctx context.Context, o Options) []Finding {
	return slices.Concat(
		o.machine(), o.libraries(), o.clock(), o.configuration(), o.model(), o.disks(), o.servers(ctx),
	)
}

// Failed is how many findings are wrong.
func Failed(all []Finding) (n int) {
	for _, f := range all {
		if f.Grade == Wrong {
			n++
		}
	}
	return n
}

// Print writes a line for each finding, and what to do below it.
func Print(w io.Writer, all []Finding) error {
	for _, f := range all {
		text := fmt.Sprintf("%-7s  %-13s  %s\n", f.Grade, f.Part, topics.Clean(f.What))
		if f.Do != "" {
			text += fmt.Sprintf("%26s%s\n", "", topics.Clean(f.Do))
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
