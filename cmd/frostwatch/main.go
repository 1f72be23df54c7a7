// Frostwatch watches camera streams for actions named in plain words.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/commands"
	_ "github.com/frostwatch/frostwatch/internal/malloc" // bounds C's heaps
)

// These are set by the Makefile and by deploy/release.sh.
var (
	version = "dev"
	commit  string // of the source
	date    string // of the commit
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return commands.Run(ctx, commands.Program{
		Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr, Version: version, Commit: commit, Date: date, Itself: true,
	})
}
