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
			_, err := fmt.Fprintf(p.Out, "frostwatch %s, %s, %s/%s\n", p.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
