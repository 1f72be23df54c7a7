package commands

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/chaos"
)

func (p Program) benchChaos() *cobra.Command {
	o := chaos.Options{Out: p.Out, Err: p.Err}
	var nemeses []string
	cmd := &cobra.Command{
		Use: "chaos", Short: "Disturb workers and the broker, and check that nothing is lost, repeated or invented", Args: none,
		Long: "Starts a broker, a Redis, and workers of infer and alerts in processes of their own, and sends them clips of a\n" +
			"simulated fleet. In each trial one nemesis disturbs them; after it the history of all records is checked\n" +
			"(docs/reliability.md). What a trial does is decided by --seed and its number, and printed. Exits with 1 on a violation.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, n := range nemeses {
				o.Nemeses = append(o.Nemeses, chaos.Nemesis(n))
			}
			return chaos.Run(cmd.Context(), o)
		},
	}
	var all []string
	for _, n := range append([]chaos.Nemesis{chaos.Calm}, chaos.Nemeses()...) {
		all = append(all, string(n))
	}
	cmd.Flags().IntVar(&o.Trials, "trials", len(all), "how many trials")
	cmd.Flags().IntVar(&o.First, "first", 0, "number of the first trial: with --trials 1, one is repeated alone")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "with a trial's number, decides what is disturbed and when, and what cameras show")
	cmd.Flags().StringSliceVar(&nemeses, "nemesis", all, "which nemeses, taken in turn")
	cmd.Flags().IntVar(&o.Cameras, "cameras", 12, "of the fleet")
	cmd.Flags().IntVar(&o.Clips, "clips", 40, "of each camera in a trial")
	cmd.Flags().Float64Var(&o.Speed, "speed", 4, "how many times as often as of a real camera clips come")
	cmd.Flags().IntVar(&o.Workers, "workers", 2, "of each stage")
	cmd.Flags().StringVar(&o.Model, "model", "", "bundle to recognise with (default: the demo model)")
	cmd.Flags().StringVar(&o.Runtime, "runtime", "", "path of ONNX Runtime's shared library")
	cmd.Flags().StringVar(&o.Keep, "keep", "", "folder in which all files stay, the logs of the workers among them")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON, a line for each trial and one for all")
	return cmd
}

// benchBroker is what chaos starts as the broker.
func (p Program) benchBroker() *cobra.Command {
	var dir, listen, advertise string
	cmd := &cobra.Command{
		Use: chaos.BrokerCommand, Short: "Run a broker, for bench chaos itself", Args: none, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := net.ResolveTCPAddr("tcp", listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			return chaos.ServeBroker(cmd.Context(), dir, at.Port, advertise)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "for its files")
	cmd.Flags().StringVar(&listen, "listen", "", "port to listen on, on this machine")
	cmd.Flags().StringVar(&advertise, "advertise", "", "address that clients are told")
	return cmd
}
