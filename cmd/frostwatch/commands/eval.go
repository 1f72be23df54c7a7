package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// evalFlags are the flags of `eval`.
type evalFlags struct {
	models, runtime, provider string
	lists                     eval.Lists
	work, json, confusion     string
	views, crops              int
	threads, batch, decoders  int
	perClass                  bool
	missAt                    []float64
	templates                 froster.Templates // of the classes; nil: the model's
}

func (p Program) evalCommand() *cobra.Command {
	f := evalFlags{}
	cmd := &cobra.Command{
		Use: "eval NAME|FOLDER", Short: "Measure a model's accuracy over labelled video files", Args: exactly(1),
		Long: "Measures a model on lists of labelled videos by the protocols of the FROSTER paper. Frames are processed\n" +
			"exactly as a camera's are. With --list every video is scored against one class list (cross-dataset). With\n" +
			"--base and --novel each group has a class list of its own, and the harmonic mean is printed too. A flag\n" +
			"that is given several times means several splits: their mean and spread are printed.",
		Example: "  frostwatch eval froster-b16 --list testlist01.txt --classes ucf101_rephrased_classes.json --root UCF-101 --work eval-ucf\n" +
			"  frostwatch eval froster-b16 --base val.csv --base-classes train_rephrased.json --novel test.csv --novel-classes test_rephrased.json --root k400",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.eval(cmd.Context(), args[0], f, func() (eval.Plan, error) { return eval.ReadPlan(f.lists) })
		},
	}
	f.addTo(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.lists.Classes, "classes", nil, "class list: a line each, \"label\" or \"label: description\", or JSON; or one of "+strings.Join(eval.BuiltIn(), ", ")+" (default: classes.txt beside the list)")
	flags.StringArrayVar(&f.lists.Base, "base", nil, "list of videos of base classes; repeatable")
	flags.StringArrayVar(&f.lists.BaseClasses, "base-classes", nil, "class list of --base")
	flags.StringArrayVar(&f.lists.Novel, "novel", nil, "list of videos of novel classes; repeatable")
	flags.StringArrayVar(&f.lists.NovelClasses, "novel-classes", nil, "class list of --novel")
	cmd.AddCommand(p.evalMVEBCommand())
	return cmd
}

// addTo adds the flags that every protocol has.
func (f *evalFlags) addTo(cmd *cobra.Command) {
	modelsFlag(cmd, &f.models)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.lists.Lists, "list", nil, "list of labelled videos, or a folder of a folder for each class; repeatable")
	flags.StringVar(&f.lists.Format, "format", eval.Auto, "of the lists: "+strings.Join(eval.Formats(), ", "))
	flags.StringVar(&f.lists.Root, "root", "", "folder that the lists' paths are below (default: the list's)")
	flags.IntVar(&f.views, "views", 3, "clips of each video, spread over its time; their scores are averaged")
	flags.IntVar(&f.crops, "crops", 1, "squares of each frame: 1, the centre, or 3")
	flags.StringVar(&f.work, "work", "", "folder where embeddings are kept, so that an interrupted run goes on")
	flags.StringVar(&f.json, "json", "", "file for all figures, as JSON; -: standard output, instead of the table")
	flags.StringVar(&f.confusion, "confusion", "", "file for the confusion matrix, as SVG")
	flags.Float64SliceVar(&f.missAt, "miss-at", nil, "rates of false alarms, a minute of video, at which ActEV's P_miss is measured, such as 0.1,0.04; repeatable")
	flags.Lookup("miss-at").DefValue = "" // none, which pflag would print as []
	flags.BoolVar(&f.perClass, "per-class", false, "print the accuracy of every class, not of the worst ten")
	c := config.Default().Infer
	flags.StringVar(&f.runtime, "runtime", c.Runtime, "path of ONNX Runtime's shared library")
	flags.StringVar(&f.provider, "provider", c.Provider, "cpu, cuda or tensorrt")
	flags.IntVar(&f.threads, "threads", c.Threads, "model runs at once; 0: one per core")
	flags.IntVar(&f.batch, "batch", c.MaxBatch, "clips that the model is given at once")
	flags.IntVar(&f.decoders, "decoders", 0, "videos decoded at once; 0: one per core")
}

func (p Program) eval(ctx context.Context, model string, f evalFlags, read func() (eval.Plan, error)) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if err := f.checkOutputs(); err != nil {
		return err
	}
	plan, err := read()
	if err != nil {
		return err
	}
	bundle, err := openModel(f.models, model)
	if err != nil {
		return err
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: f.runtime, Provider: f.provider, Threads: f.threads})
	if err != nil {
		return err
	}
	m, err := rt.Load(bundle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	shown := &evalProgress{out: p.Err, terminal: isTerminal(p.Err), width: func() int { return columns(p.Err) }, now: time.Now}
	r, err := eval.New(eval.Options{
		Model: m, Side: bundle.Dims.ImageSize, Resize: bundle.Dims.Resize(), Quality: config.Default().Framer.JPEGQuality,
		Sampling: eval.Sampling{Frames: bundle.Dims.Frames, Step: eval.TrainedStep, Views: f.views, Crops: f.crops},
		Batch:    f.batch, Decoders: f.decoders, Work: f.work, Progress: shown.show, Templates: f.templates, Rates: f.missAt,
	})
	if err != nil {
		return err
	}
	report, err := r.Run(ctx, plan)
	shown.end()
	if err != nil {
		return f.interrupted(ctx, err)
	}
	return p.evalReport(report, f)
}

// check refuses impossible numbers before anything is read or loaded.
func (f evalFlags) check() error {
	for _, n := range []struct {
		flag             string
		value, low, high int
	}{
		{"views", f.views, 1, eval.MaxViews},
		{"threads", f.threads, 0, config.MaxThreads},
		{"batch", f.batch, 1, config.MaxBatch},
		{"decoders", f.decoders, 0, config.MaxThreads},
	} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("--%s %d: want %d to %d", n.flag, n.value, n.low, n.high)
		}
	}
	if f.crops != 1 && f.crops != 3 {
		return fmt.Errorf("--crops %d: want 1 or 3", f.crops)
	}
	return nil
}

func (f evalFlags) interrupted(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case f.work == "":
		return errors.New("interrupted: nothing is kept without --work")
	}
	return fmt.Errorf("interrupted: the same command goes on with what is in %s", f.work)
}
