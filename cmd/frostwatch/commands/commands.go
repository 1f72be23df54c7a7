// Package commands is the command line: it reads flags, and prints what other
// packages return.
package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Program is what a run gets from its environment.
type Program struct {
	Args    []string
	Out     io.Writer // results
	Err     io.Writer // logs and errors
	Version string
	Commit  string // that it was built from, if known
	Date    string // of the commit, if known
	// Itself is that the executable is frostwatch: that of a test can't be started to
	// read cameras.
	Itself bool
}

// Run executes one command and returns the exit status: 0, or 1 with a line on
// Err that says what went wrong.
func Run(ctx context.Context, p Program) int {
	root := p.root()
	root.SetArgs(p.Args)
	if err := root.ExecuteContext(ctx); err != nil {
		// If the terminal is gone, nobody needs the error.
		_, _ = fmt.Fprintf(p.Err, "frostwatch: %v\n", err)
		return 1
	}
	return 0
}

// root is the program with all its commands.
func (p Program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "frostwatch",
		Short:         "Watch camera streams for actions named in plain words",
		Version:       p.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		p.upCommand(),
		p.ingestCommand(),
		p.inferCommand(),
		p.alertsCommand(),
		p.calibrateCommand(),
		p.notifyCommand(),
		p.consoleCommand(),
		p.mcpCommand(),
		p.silenceCommand(),
		p.profileCommand(),
		p.archiveCommand(),
		p.statusCommand(),
		p.cameraCommand(),
		p.vocabCommand(),
		p.ruleCommand(),
		p.watchCommand(),
		p.searchCommand(),
		p.modelCommand(),
		p.exportCommand(),
		p.camsimCommand(),
		p.simulateCommand(),
		p.benchCommand(),
		p.evalCommand(),
		p.initCommand(),
		p.configCommand(),
		p.doctorCommand(),
		p.healthcheckCommand(),
		p.versionCommand(),
	)
	groups(root)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	return root
}
