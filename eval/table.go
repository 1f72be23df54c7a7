package eval

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// TableOptions say how much Print writes.
type TableOptions struct {
	// Classes is for how many classes accuracies are printed, the worst first;
	// 0: all.
	Classes int
}

// maxBroken is how many broken videos are printed.
const maxBroken = 20

// Print writes the report for a person.
func (r *Report) Print(w io.Writer, o TableOptions) error {
	var b strings.Builder
	s := r.Sampling
	fmt.Fprintf(&b, "%s, model %s, %d views x %d crops of %d frames\n\n", r.Protocol, r.Model, s.Views, s.Crops, s.Frames)
	r.table(&b)
	for _, g := range r.Groups {
		for _, split := range g.Splits {
			split.classTable(&b, o.Classes)
		}
	}
	fmt.Fprintf(&b, "\nECE is the expected calibration error of the best class' score, %d equal bins.", calibrationBins)
	if r.spreads() {
		fmt.Fprintf(&b, " ± is the standard deviation over splits (n-1).")
	}
	fmt.Fprintln(&b)
	if len(r.Broken) > 0 {
		fmt.Fprintf(&b, "\n%d of %d videos could not be read and are left out of every figure:\n", len(r.Broken), r.Videos)
		for i, v := range r.Broken {
			if i == maxBroken {
				fmt.Fprintf(&b, "  and %d more: --json lists all\n", len(r.Broken)-maxBroken)
				break
			}
			fmt.Fprintf(&b, "  %s: %s (%s)\n", printable(v.Path), printable(v.Reason), printable(v.Where))
		}
	}
	if len(r.PassedOver) > 0 {
		var of []string
		for _, suffix := range slices.Sorted(maps.Keys(r.PassedOver)) {
			of = append(of, fmt.Sprintf("%d %s", r.PassedOver[suffix], cmp.Or(printable(suffix), "without one")))
		}
		fmt.Fprintf(&b, "\nSkipped, because their suffix is not a video's: %s\n", strings.Join(of, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) table(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = io.WriteString(t, strings.Join(cells, "\t")+"\n") } // t writes to memory
	row("", "VIDEOS", "CLASSES", "TOP-1", "TOP-5", "ECE")
	for _, g := range r.Groups {
		videos := 0
		for _, s := range g.Splits {
			videos += s.Videos
			row(strings.TrimSpace(g.Name+" "+s.Name), fmt.Sprint(s.Videos), fmt.Sprint(len(s.PerClass)), percent(s.Top1), percent(s.Top5), percent(s.ECE))
		}
		if len(g.Splits) > 1 {
			row(strings.TrimSpace(g.Name+" mean"), fmt.Sprint(videos), "", g.Top1.String(), g.Top5.String(), g.ECE.String())
		}
	}
	if r.Protocol == BaseToNovel {
		row("harmonic mean", "", "", r.Harmonic.String())
	}
	_ = t.Flush() // to memory
	r.misses(b)
}

// misses writes P_miss of each split, if it was measured.
func (r *Report) misses(b *strings.Builder) {
	for _, g := range r.Groups {
		for _, s := range g.Splits {
			for _, m := range s.Misses {
				fmt.Fprintf(b, "%s: P_miss %s at %g false alarms a minute of video, the mean over classes\n", strings.TrimSpace(g.Name+" "+s.Name), percent(m.PMiss), m.PerMinute)
			}
		}
	}
}

func (r *Report) spreads() bool {
	for _, g := range r.Groups {
		if len(g.Splits) > 1 {
			return true
		}
	}
	return false
}

func percent(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100**v)
}

// String is mean and spread in percent, or "-" if there is no figure.
func (s *Summary) String() string {
	if s == nil {
		return "-"
	}
	if s.Spread == nil {
		return percent(&s.Mean)
	}
	return fmt.Sprintf("%.1f ± %.1f%%", 100*s.Mean, 100**s.Spread)
}

// classTable lists the classes that have videos, the worst first.
func (s SplitResult) classTable(b *strings.Builder, most int) {
	classes := slices.DeleteFunc(slices.Clone(s.PerClass), func(c ClassResult) bool { return c.Videos == 0 })
	if len(classes) == 0 {
		return
	}
	slices.SortStableFunc(classes, func(a, b ClassResult) int { return cmp.Compare(*a.Accuracy, *b.Accuracy) })
	left := 0
	if most > 0 && len(classes) > most {
		left = len(classes) - most
		classes = classes[:most]
	}
	fmt.Fprintf(b, "\n%s, by class, the worst first:\n", s.Name)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, c := range classes {
		taken := ""
		if c.TakenFor != "" {
			taken = "mostly taken for " + printable(c.TakenFor)
		}
		_, _ = fmt.Fprintf(t, "  %s\t%s\tof %d\t%s\n", printable(c.Class), percent(c.Accuracy), c.Videos, taken) // t writes to memory
	}
	_ = t.Flush() // to memory
	if left > 0 {
		fmt.Fprintf(b, "  and %d better: --per-class prints all\n", left)
	}
}
