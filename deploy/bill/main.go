// Bill writes what a release says of its contents: an SBOM, and the licences of the Go
// modules. deploy/release.sh runs it.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bill:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "licences":
		return writeLicences(args[1])
	case len(args) == 3 && args[0] == "sbom":
		return writeSBOM(os.Stdout, args[1], args[2], os.Stdin)
	}
	return fmt.Errorf("usage: bill licences FOLDER, or bill sbom FOLDER VERSION < NATIVES")
}
