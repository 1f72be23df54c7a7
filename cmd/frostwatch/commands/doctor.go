package commands

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/doctor"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
)

func (p Program) doctorCommand() *cobra.Command {
	t := &target{}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Find what keeps Frostwatch from working here, and say what to do", Args: none,
		Long: "Looks at libraries, processor, GPU, clock, configuration, model and disks of this machine, and at Kafka with the\n" +
			"settings of its topics, Redis, workers, cameras and rules of what is configured or runs. A line each, with what to\n" +
			"do below it. The exit status is 1 if anything is wrong; warnings alone are none.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := t.examined(p.Version)
			all := doctor.Look(cmd.Context(), o)
			var err error
			if asJSON {
				e := json.NewEncoder(p.Out)
				e.SetIndent("", "  ")
				err = e.Encode(all)
			} else {
				err = doctor.Print(p.Out, all)
			}
			if n := doctor.Failed(all); n > 0 {
				err = errors.Join(err, fmt.Errorf("doctor: %s wrong", verbed(n, "thing")))
			}
			return err
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// verbed is "1 thing is", "2 things are".
func verbed(n int, what string) string {
	if n == 1 {
		return counted(n, what) + " is"
	}
	return counted(n, what) + " are"
}

// examined is what a doctor is to look at. Where nothing runs, it looks at the machine.
func (t *target) examined(version string) doctor.Options {
	o := doctor.Options{Version: version, Config: config.Default()}
	if t.config == "" {
		o.Data = t.data
	}
	if path := t.file(); path != "" {
		o.File, o.Mistake = config.Open(path)
		o.File.Path = path
	}
	cfg, err := t.load()
	if err != nil {
		o.Idle = err
		return o
	}
	o.Config = cfg
	if e, err := up.ReadEndpoints(t.data); t.config == "" && err == nil && e.Bundle != "" {
		o.Config.Infer.Bundle = e.Bundle
	}
	return o
}
