package cli

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/infer/froster"
)

func (p Program) modelCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Import and check models"}
	cmd.AddCommand(p.modelImport(), p.modelCheck())
	return cmd
}

func (p Program) modelImport() *cobra.Command {
	var o froster.ImportOptions
	cmd := &cobra.Command{
		Use: "import CHECKPOINT", Short: "Make a bundle of a FROSTER .pth or an OpenAI CLIP .pt", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Checkpoint = args[0]
			b, err := froster.Import(o)
			if err != nil {
				return err
			}
			return b.Print(p.Out)
		},
	}
	cmd.Flags().StringVar(&o.Out, "out", "", "folder of the bundle, which must not exist (required)")
	cmd.Flags().StringVar(&o.Name, "name", "", "name of the model (default: the file's)")
	cmd.Flags().StringVar(&o.BaseClasses, "base-classes", "", "file of the classes that the model was trained on, one a line")
	cmd.Flags().StringVar(&o.Card, "card", "", "JSON file about the model: base_classes, licence, summary, limits")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

var errOver = errors.New("the model differs from its reference")

func (p Program) modelCheck() *cobra.Command {
	var reference, library string
	cmd := &cobra.Command{
		Use: "check BUNDLE", Short: "Compare a bundle with recorded outputs of the reference implementation", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := froster.OpenBundle(args[0])
			if err != nil {
				return err
			}
			rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: library, Provider: "cpu", Threads: runtime.NumCPU()})
			if err != nil {
				return err
			}
			report, err := froster.Check(cmd.Context(), rt, b, reference)
			if err != nil {
				return err
			}
			if err := report.Print(p.Out); err != nil {
				return err
			}
			if !report.OK() {
				return fmt.Errorf("check %s: %w", args[0], errOver)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&reference, "reference", "", "JSON file of recorded outputs, its arrays in a .bin beside it (required)")
	cmd.Flags().StringVar(&library, "runtime", "", "path of ONNX Runtime's shared library")
	if err := cmd.MarkFlagRequired("reference"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}
