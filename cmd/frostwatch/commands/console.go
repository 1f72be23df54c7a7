package commands

import (
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
)

func (p Program) consoleCommand() *cobra.Command {
	cmd := p.stageCommand("console", "Show cameras and what is wrong in a browser", func(pr *process.Process) ([]process.Part, error) {
		return pr.Console()
	})
	cmd.Long = "Runs the web page at console.listen of the configuration (docs/console.md). `frostwatch up` runs it by itself."
	cmd.AddCommand(p.consoleHashCommand())
	return cmd
}
