package commands

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

// fewLines is how many cameras, and labels, are listed without --verbose.
const fewLines = 5

// printChecked prints the verdict, then the figures that it rests on.
func (p Program) printChecked(v checkedView, verbose bool) error {
	var b bytes.Buffer
	but := ""
	if len(v.Advice) > 0 {
		but = ", but see the advice on how the model reads it"
	}
	fmt.Fprintf(&b, "%s: %s%s\n%s\n\n", topics.Clean(fmt.Sprintf("%q", v.Phrase)), v.Verdict, but, v.Meaning)
	for _, a := range v.Advice {
		fmt.Fprintf(&b, "advice: %s\n", topics.Clean(a.Column+": "+a.Text))
	}
	if len(v.Advice) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s of %s: ", counted(v.Clips, "clip"), counted(len(v.Cameras), "camera"))
	switch {
	case v.Over == 0:
		fmt.Fprintf(&b, "none reaches a contrast of %g", v.Raise)
	case v.Times == 1:
		fmt.Fprintf(&b, "%d at one time reach a contrast of %g", v.Over, v.Raise)
	default:
		fmt.Fprintf(&b, "%d at %d different times reach a contrast of %g", v.Over, v.Times, v.Raise)
	}
	b.WriteString(", from which on a rule raises.\n")
	if v.Clips > 0 {
		fmt.Fprintf(&b, "The highest has %.3g; one clip in 100 has %.3g or more.\n", v.Highest, v.OneIn)
	}
	writeCheckedCameras(&b, v, verbose)
	writeCheckedLabels(&b, v, verbose)
	writeClosestClips(&b, v)
	if verbose && len(v.LeftOut) > 0 {
		fmt.Fprintf(&b, "\nreference texts that say about the same, and are left out: %s\n", topics.Clean(strings.Join(v.LeftOut, "; ")))
	}
	writeOtherModels(&b, v.Other)
	_, err := p.Out.Write(b.Bytes())
	return err
}

// table writes lines in columns. Those that are left out are counted below it.
func table[T any](b *bytes.Buffer, head string, all []T, most int, what string, line func(T) string) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%s\n", head) // to memory
	for _, one := range all[:min(most, len(all))] {
		_, _ = fmt.Fprintln(t, line(one))
	}
	_ = t.Flush()
	if more := len(all) - most; more > 0 {
		fmt.Fprintf(b, "and %s: see --verbose\n", counted(more, what))
	}
}

func shown(all int, verbose bool) int {
	if verbose {
		return all
	}
	return fewLines
}

func writeCheckedCameras(b *bytes.Buffer, v checkedView, verbose bool) {
	if len(v.Cameras) < 2 {
		return
	}
	table(b, "CAMERA\tCLIPS\tREACH IT\tTIMES\tHIGHEST\tVERDICT", v.Cameras, shown(len(v.Cameras), verbose), "more camera", func(c calibrate.CheckedCamera) string {
		return fmt.Sprintf("%s\t%d\t%d\t%d\t%.3g\t%s", topics.Clean(c.Camera), c.Clips, c.Over, c.Times, c.Highest, c.Verdict)
	})
}

func writeCheckedLabels(b *bytes.Buffer, v checkedView, verbose bool) {
	if len(v.Labels) == 0 {
		return
	}
	table(b, "CLOSEST LABELS\tCOSINE\tBEST ON\tREACH IT", v.Labels, shown(len(v.Labels), verbose), "more label", func(l calibrate.CheckedLabel) string {
		return fmt.Sprintf("%s\t%.2f\t%s\t%d", topics.Clean(l.Label), l.Cosine, counted(l.Clips, "clip"), l.Over)
	})
	if more := v.OtherLabels - len(v.Labels); more > 0 && verbose {
		fmt.Fprintf(b, "%s of the vocabulary are less close, and were not compared with the clips\n", counted(more, "label"))
	}
}

func writeClosestClips(b *bytes.Buffer, v checkedView) {
	if len(v.Closest) == 0 {
		return
	}
	table(b, "CLOSEST CLIPS\tCAMERA\tCONTRAST\tCLIP\tALERT", v.Closest, len(v.Closest), "", func(c closeClip) string {
		alert := "-"
		if len(c.Alerts) > 0 {
			alert = topics.Clean(strings.Join(c.Alerts, ", "))
		}
		return fmt.Sprintf("%s\t%s\t%.3g\t%s\t%s", c.Start.Local().Format(time.DateTime), topics.Clean(c.Camera), *c.Contrast, topics.Clean(c.Clip), alert)
	})
	var folders []string
	for _, c := range v.Closest {
		if c.Pictures != "" {
			folders = append(folders, c.Pictures)
		}
	}
	if len(folders) > 0 {
		fmt.Fprintf(b, "their pictures are in %s\n", strings.Join(folders, ", "))
	}
}
