package commands

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (p Program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: none,
		RunE: func(*cobra.Command, []string) error {
			of := p.Version
			if p.Commit != "" {
				of += ", commit " + p.Commit
			}
			if p.Date != "" {
				of += " of " + p.Date
			}
			_, err := fmt.Fprintf(p.Out, "frostwatch %s, %s, %s/%s\n", of, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
