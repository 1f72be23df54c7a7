package commands

import (
	"context"
	"os"
	"os/signal"
	"testing"
)

// asProgram makes this test binary behave as frostwatch, for the commands that
// start frostwatch again.
const asProgram = "FROSTWATCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := Run(ctx, Program{Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr, Version: "test"})
	stop()
	os.Exit(code)
}
