package commands

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/infer/froster"
)

func (p Program) modelCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Import, pull, list, check and compare models"}
	cmd.AddCommand(p.modelImport(), p.modelPull(), p.modelList(), p.modelShow(), p.modelRemove(), p.modelCheck(), p.modelCompare())
	return cmd
}

// modelsFlag adds the flag for the folder that contains all models.
func modelsFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "models", "models", "folder that contains the models")
}

// importFlags adds the flags that import and pull share.
func importFlags(cmd *cobra.Command, o *froster.ImportOptions) {
	cmd.Flags().StringVar(&o.Name, "name", "", "name of the model (default: the file's)")
	cmd.Flags().StringVar((*string)(&o.Precision), "precision", string(froster.Float32), "float32; int8 for processors with VNNI; float16 for GPUs")
	cmd.Flags().StringVar(&o.Activation, "activation", "", "quick_gelu or gelu (default: as the checkpoint's format says)")
	cmd.Flags().BoolVar(&o.Framewise, "framewise", false, "embed each frame by itself, as CLIP does, and not with FROSTER's temporal attention: frames that clips share are then embedded once")
	cmd.Flags().StringVar(&o.BaseClasses, "base-classes", "", "classes that the model was trained on: kinetics-400, or a file with one a line")
	cmd.Flags().StringVar(&o.Card, "card", "", "JSON file about the model: base_classes, licence, summary, limits")
}

func (p Program) modelImport() *cobra.Command {
	var o froster.ImportOptions
	var models string
	cmd := &cobra.Command{
		Use: "import CHECKPOINT", Short: "Convert a checkpoint into a model", Args: exactly(1),
		Long: "Converts a FROSTER or Open-VCLIP .pth, an OpenAI CLIP .pt, Meta's PE-Core .pt, or a CLIP or PE-Core of\n" +
			"Hugging Face or OpenCLIP (the .safetensors or .bin file, or the folder with its configuration) into a model.\n" +
			"Nothing in it is executed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Checkpoint = args[0]
			if o.PatchWith == "" && cmd.Flags().Changed("ratio") {
				return errors.New("--ratio is how much of --patch-with is in the model: give that too")
			}
			if o.Name == "" && o.PatchWith != "" {
				o.Name = bundleName(froster.ImportOptions{Checkpoint: o.Checkpoint}) + "-patched"
			}
			if o.Out == "" {
				o.Out = filepath.Join(models, bundleName(o))
			}
			return p.importModel(cmd.Context(), o)
		},
	}
	importFlags(cmd, &o)
	modelsFlag(cmd, &models)
	cmd.Flags().StringVar(&o.PatchWith, "patch-with", "", "checkpoint of the CLIP that was fine-tuned, whose weights are mixed in, so that more words are understood")
	cmd.Flags().Float64Var(&o.PatchRatio, "ratio", 0.5, "of --patch-with in the mixture, 0 to 1")
	cmd.Flags().StringVar(&o.Out, "out", "", "folder of the model, which must not exist (default: its name in --models)")
	return cmd
}

func (p Program) importModel(ctx context.Context, o froster.ImportOptions) error {
	b, err := froster.Import(ctx, o)
	if err != nil {
		return err
	}
	if err := b.Print(p.Out); err != nil {
		return err
	}
	text := fmt.Sprintf("folder   %s\n", o.Out)
	if len(b.BaseClasses) == 0 && b.Dims.Architecture == froster.FROSTER {
		text += "warning: it is not known what it was trained on, so that every label counts as novel: --base-classes names the classes (kinetics-400 for FROSTER's weights)\n"
	}
	_, err = fmt.Fprint(p.Out, text)
	return err
}

// bundleName returns the folder for a model if --out does not name one.
func bundleName(o froster.ImportOptions) string {
	name := o.Name
	if name == "" {
		base := filepath.Base(filepath.Clean(o.Checkpoint))
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	return withKind(strings.NewReplacer("/", "-", string(filepath.Separator), "-").Replace(name), o)
}

// withKind adds to a model's name in which way it was imported, so that models of one
// checkpoint differ in name.
func withKind(name string, o froster.ImportOptions) string {
	if o.Framewise {
		name += "-framewise"
	}
	if o.Precision == "" || o.Precision == froster.Float32 {
		return name
	}
	return name + "-" + string(o.Precision)
}

var errOver = errors.New("the model differs from its reference")

func (p Program) modelCheck() *cobra.Command {
	var reference, library, models string
	cmd := &cobra.Command{
		Use: "check NAME|FOLDER", Short: "Verify a model's hashes and run it once, or compare it with recorded outputs", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := openModel(models, args[0])
			if err != nil {
				return err
			}
			rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: library, Provider: "cpu", Threads: runtime.NumCPU()})
			if err != nil {
				return err
			}
			if reference == "" {
				return p.tryModel(cmd.Context(), rt, b)
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
	modelsFlag(cmd, &models)
	cmd.Flags().StringVar(&reference, "reference", "", "JSON file of recorded outputs, its arrays in a .bin beside it (default: none, the model is run on noise)")
	cmd.Flags().StringVar(&library, "runtime", "", "path of ONNX Runtime's shared library")
	return cmd
}

// tryModel says that a model is whole and runs here.
func (p Program) tryModel(ctx context.Context, rt *froster.Runtime, b *froster.Bundle) error {
	t, err := froster.Trial(ctx, rt, b)
	if err != nil {
		return fmt.Errorf("check %s: %w", b.Name, err)
	}
	_, err = fmt.Fprintf(p.Out, "%s is whole (the hashes are those of %s) and runs here:\nloaded in %.1f s; a clip took %.3f s, a label of %d texts %.3f s\nwhether its results are right, --reference compares with recorded ones\n",
		b.Name, bundleMark, t.Load.Seconds(), t.Clip.Seconds(), len(b.Prompts("")), t.Text.Seconds())
	return err
}
