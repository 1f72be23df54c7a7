package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// length is a flag for a length of time, which may be in days. It is stored in a
// time.Duration of the caller.
type length struct {
	of      *time.Duration
	example string
}

// Set parses a value such as 10s, 1h30m or 7d.
func (l length) Set(text string) error {
	var age config.Age
	if strings.HasPrefix(text, "-") {
		return fmt.Errorf("a length of time can't be less than nothing: want a number with a unit such as %s", l.example)
	}
	if err := age.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("want a number with a unit such as %s", l.example)
	}
	*l.of = time.Duration(age)
	return nil
}

// String is empty for zero, so that the help text shows no default.
func (l length) String() string {
	if l.of == nil || *l.of == 0 {
		return ""
	}
	text := l.of.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Type is the name of the value in the help text.
func (l length) Type() string { return "duration" }
