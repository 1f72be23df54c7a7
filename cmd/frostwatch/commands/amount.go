package commands

import (
	"fmt"

	"github.com/frostwatch/frostwatch/internal/config"
)

// amount is a flag for an amount of storage. It is stored in an int64 of the caller.
type amount struct{ of *int64 }

// Set parses a value such as 50GB or 20GiB.
func (a amount) Set(text string) error {
	var n config.Bytes
	if err := n.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("want a size such as 50GB")
	}
	*a.of = int64(n)
	return nil
}

// String is empty for zero, so that the help text shows no default.
func (a amount) String() string {
	if a.of == nil || *a.of == 0 {
		return ""
	}
	return fmt.Sprintf("%gGB", float64(*a.of)/1e9)
}

// Type is the name of the value in the help text.
func (a amount) Type() string { return "size" }
