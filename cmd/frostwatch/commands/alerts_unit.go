package commands

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

const unitHelp = `Runs the tests in YAML files: what is seen, and the alerts that are expected.

  rules: pipeline.yaml            # the file that has the rules, from the folder of this one
  tests:
    - name: a fall is raised once
      series:
        - camera: ward-1
          label: person falling down
          values: 0.1x5 0.9x3 _ 0.1x4   # five clips at 0.1, three at 0.9, none, four at 0.1
      alerts:
        - {rule: fall, camera: ward-1, raised: 16s, cleared: 26s}

A clip covers 4 s and the next begins 2 s later, unless window and stride say
otherwise: clip 0 ends at 4s, clip 5 at 14s. Time runs on for "until" after the last
clip. All alerts are listed; those without "cleared" stay open.`

func (p Program) alertsUnit() *cobra.Command {
	return &cobra.Command{
		Use: "test FILE...", Short: "Run tests of rules: recognitions in, alerts expected", Long: unitHelp, Args: some,
		RunE: func(_ *cobra.Command, paths []string) error {
			failed := 0
			for _, path := range paths {
				n, err := p.runUnit(path)
				if err != nil {
					return fmt.Errorf("test rules: %w", err)
				}
				failed += n
			}
			if failed > 0 {
				return fmt.Errorf("%s failed", counted(failed, "test"))
			}
			return nil
		},
	}
}

// runUnit runs the tests of a file, and returns how many fail.
func (p Program) runUnit(path string) (failed int, err error) {
	f, err := calibrate.ReadTests(path)
	if err != nil {
		return 0, err
	}
	rules, err := calibrate.CompileRules(f.Rules)
	if err != nil {
		return 0, err
	}
	var b strings.Builder
	for _, t := range f.Tests {
		wrong := t.Run(rules)
		if len(wrong) == 0 {
			continue
		}
		failed++
		fmt.Fprintf(&b, "%s: FAILED: %s\n", path, topics.Clean(t.Name))
		for _, w := range wrong {
			fmt.Fprintf(&b, "  %s\n", topics.Clean(w))
		}
	}
	fmt.Fprintf(&b, "%s: %s, %d failed\n", path, counted(len(f.Tests), "test"), failed)
	_, err = p.Out.Write([]byte(b.String()))
	return failed, err
}
