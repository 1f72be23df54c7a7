package notify

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the process that sends to people, as `frostwatch notify relay` is.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"notify", RelayCommand}) {
		if err := Relay(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
