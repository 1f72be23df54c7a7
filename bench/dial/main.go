// Command dial judges on recorded cameras how well budgets of false alarms are kept:
//
//	go run ./bench/dial --model BUNDLE --out OUT FOLDER
//
// FOLDER/hours and FOLDER/events are archives as bench/days makes them, with the staged
// events of each in FOLDER/hours.csv and FOLDER/events.csv. For each camera and rule
// the threshold is found from some of the hours, as the stage calibrate does it, and
// the whole rule is run over the others. docs/trust.md has the figures.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/vocab"
)

type options struct {
	folder, bundle, runtime, out string
	rule                         alerts.Rule   // without a name and labels
	described                    []vocab.Label // descriptions of those that have one
	learn, judge                 int           // hours
	unusual                      bool
}

func main() {
	if err := judgeBudgets(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dial:", err)
		os.Exit(1)
	}
}

func judgeBudgets(args []string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(args)
	if err != nil {
		return err
	}
	return run(ctx, o, out)
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("dial", flag.ContinueOnError)
	f.StringVar(&o.bundle, "model", "", "bundle of the model that the recordings were made with")
	f.StringVar(&o.runtime, "runtime", "", "ONNX Runtime's shared library; empty: where frostwatch looks for it")
	f.StringVar(&o.out, "out", "", "folder for dial.json, dial.csv and the plots; empty: the table alone")
	f.IntVar(&o.learn, "learn", 4, "hours to find thresholds from")
	f.IntVar(&o.judge, "judge", 2, "hours to judge them by")
	f.DurationVar(&o.rule.Cooldown, "cooldown", 5*time.Second, "of the rules")
	f.BoolVar(&o.unusual, "unusual", false, "compare measures that are relative to the camera as well, each with one threshold for all cameras")
	f.Func("label", "NAME=VALUE of a label, as in the vocabulary; may be repeated", func(text string) error {
		name, value, _ := strings.Cut(text, "=")
		l, err := vocab.ParseLabel(name, value)
		o.described = append(o.described, l)
		return err
	})
	budget := f.String("budget", "4 per hour", "of the rules")
	clips := f.String("clips", "1 of 1", "of the rules")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.rule.FalseAlarms.UnmarshalText([]byte(*budget)); err != nil {
		return o, err
	}
	if err := o.rule.Clips.UnmarshalText([]byte(*clips)); err != nil {
		return o, err
	}
	if f.NArg() != 1 || o.bundle == "" || o.learn < 1 || o.judge < 1 {
		return o, fmt.Errorf("want --model BUNDLE, hours from 1 on, and one FOLDER")
	}
	o.folder = f.Arg(0)
	return o, nil
}

func run(ctx context.Context, o options, out io.Writer) error {
	texts, err := openTexts(o.bundle, o.runtime)
	if err != nil {
		return err
	}
	defer texts.close()
	r, err := load(ctx, o.folder, texts, o.described)
	if err != nil {
		return err
	}
	p := &proof{options: o, recorded: r, texts: texts}
	report, err := p.report(ctx)
	if err != nil {
		return err
	}
	if err := report.print(out); err != nil {
		return err
	}
	return report.save(o.out)
}
