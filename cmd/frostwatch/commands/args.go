package commands

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// exactly accepts n arguments, some at least one, none no argument. Their errors
// name the arguments as the command's usage line does.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return wrongArgs(cmd, args)
		}
		return nil
	}
}

func some(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return wrongArgs(cmd, args)
	}
	return nil
}

// most accepts at most n arguments.
func most(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return wrongArgs(cmd, args)
		}
		return nil
	}
}

func none(cmd *cobra.Command, args []string) error { return exactly(0)(cmd, args) }

func wrongArgs(cmd *cobra.Command, args []string) error {
	_, want, _ := strings.Cut(cmd.Use, " ")
	if want == "" {
		want = "no arguments"
	}
	if len(args) > 1 && (want == "WORDS" || want == "LABEL" || want == "PHRASE") {
		return fmt.Errorf("%s: want %s in quotation marks: frostwatch %[1]s %[3]q", pathOf(cmd), want, strings.Join(args, " "))
	}
	given := "none"
	if len(args) > 0 {
		given = strings.Join(args, " ")
	}
	return fmt.Errorf("%s: want %s, got %s", pathOf(cmd), want, given)
}

// pathOf returns a command's path without the program's name, with which each
// error begins anyway.
func pathOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// groups makes commands that only have subcommands list these when an unknown one
// is named.
func groups(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if !cmd.HasSubCommands() || cmd.Runnable() {
			continue
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, sub := range cmd.Commands() {
				names = append(names, sub.Name())
			}
			return fmt.Errorf("%s: unknown command %q: want %s", pathOf(cmd), args[0], strings.Join(names, ", "))
		}
	}
}
