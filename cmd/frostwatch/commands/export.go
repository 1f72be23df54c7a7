package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/eval/export"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) exportCommand() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{Use: "export", Short: "Export recordings"}
	t.flags(cmd)
	cmd.AddCommand(p.exportClips(t))
	return cmd
}

// exportFlags are the flags of `export clips`, some of which must be parsed before
// they are options.
type exportFlags struct {
	export.Options
	since, until, labels string
}

const exportHelp = `Turns clips on the topic of clips and a CSV of labelled intervals into a training
set in DIR, which train/ reads as it is: data.train = "DIR".

The CSV begins with the line camera,start,end,label. camera may be a glob; start
and end are RFC 3339 or Unix seconds:

  camera,start,end,label
  ward-*,2026-03-01T12:00:00+01:00,2026-03-01T12:00:08+01:00,person falling down

A clip gets the label whose interval covers at least --overlap of its window; of
two labels the one that covers more. Where two cover it equally it is left out
and reported. Intervals of one label that touch or overlap are one. A clip that
no interval touches is left out, or gets the label of --background. Without
--labels, every clip gets the one --label.

val.txt gets whole intervals (without intervals: blocks of at most five minutes),
about --val of each label's clips, the same ones each time. Clips that overlap one
of their camera on the other side are left out, so the sides share no frame.

Only clips that the topic still keeps can be exported: 24 hours, unless it is set
otherwise.`

func (p Program) exportClips(t *target) *cobra.Command {
	f := exportFlags{}
	cmd := &cobra.Command{
		Use: "clips --camera GLOB --since TIME --out DIR [--labels FILE] [--label NAME]", Args: none,
		Short: "Make a training set of recorded clips and a CSV of labelled intervals", Long: exportHelp,
		Example: "  frostwatch export clips --camera 'ward-*' --since 6h --labels labels.csv --out set\n" +
			"  frostwatch export clips --camera lobby --since 10m --label 'nobody there' --out nobody",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runExport(cmd.Context(), t, f) },
	}
	cmd.Flags().StringArrayVar(&f.Cameras, "camera", nil, "name or glob of cameras; repeatable")
	cmd.Flags().StringVar(&f.since, "since", "", "start of the time range: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().StringVar(&f.until, "until", "0s", "end of the time range, in the same form")
	cmd.Flags().StringVar(&f.labels, "labels", "", "CSV of labelled intervals")
	cmd.Flags().StringArrayVar(&f.Labels, "label", nil, "only this label; repeatable. Without --labels: the label of every clip")
	cmd.Flags().StringVar(&f.Out, "out", "", "folder for the set, which must be empty or absent")
	cmd.Flags().Float64Var(&f.Overlap, "overlap", 0.5, "least share of a clip's window that its interval covers")
	cmd.Flags().StringVar(&f.Background, "background", "", "label of clips that no interval touches (default: they are left out)")
	cmd.Flags().Float64Var(&f.Val, "val", 0.1, "share of the clips for validation, 0 to 0.5")
	cmd.Flags().BoolVar(&f.Replace, "force", false, "replace the set that an earlier export left in the folder")
	cmd.Flags().IntVar(&f.MaxClips, "max-clips", 100_000, "give up rather than write more clips (each is some 100 KB)")
	for _, name := range []string{"camera", "since", "out"} {
		// It fails only for a flag that does not exist.
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

func (p Program) runExport(ctx context.Context, t *target, f exportFlags) error {
	o, err := f.options(time.Now())
	if err != nil {
		return err
	}
	cfg, err := t.load()
	if err != nil {
		return err
	}
	o.Topic, o.Version, o.Progress = topics.Names{Prefix: cfg.Kafka.Prefix}.Of(topics.Clips), p.Version, p.exportProgress()
	log := slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := process.Kafka(cfg.Kafka, "frostwatch-cli", log, nil)
	if err != nil {
		return err
	}
	if o.Recorded, err = archive.NewReader(archive.ReaderOptions{Log: b, Names: topics.Names{Prefix: cfg.Kafka.Prefix}}); err != nil {
		return errors.Join(err, b.Close())
	}
	set, err := export.Clips(ctx, o)
	if err := errors.Join(err, b.Close()); err != nil {
		return err
	}
	_, err = io.WriteString(p.Out, describeSet(set, o.Out))
	return err
}

// options parses the flags, before anything is asked of Kafka.
func (f exportFlags) options(now time.Time) (o export.Options, err error) {
	o = f.Options
	o.Now = now
	if o.Since, err = export.ParseMoment(f.since, now); err != nil {
		return o, fmt.Errorf("--since %w", err)
	}
	if o.Until, err = export.ParseMoment(f.until, now); err != nil {
		return o, fmt.Errorf("--until %w", err)
	}
	if f.labels == "" {
		return o, nil
	}
	file, err := os.Open(f.labels)
	if err != nil {
		return o, fmt.Errorf("read labelled intervals: %w", err)
	}
	defer func() { _ = file.Close() }()
	o.Intervals, err = export.ReadIntervals(f.labels, file)
	return o, err
}

// exportProgress prints a line every few seconds.
func (p Program) exportProgress() func(export.Counts, time.Time) {
	const every = 5 * time.Second
	printed := time.Now()
	return func(c export.Counts, at time.Time) {
		if time.Since(printed) < every {
			return
		}
		printed = time.Now()
		// If the terminal is gone, nobody needs the progress.
		_, _ = fmt.Fprintf(p.Err, "%d records read, now at %s\n", c.Records, at.Local().Format(time.DateTime))
	}
}

// describeSet formats an export for people.
func describeSet(s *export.Set, out string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-40s %8s %8s\n", "label", "train", "val")
	for _, label := range s.Classes {
		n := s.Of(label)
		fmt.Fprintf(&b, "%-40s %8d %8d\n", label, n.Train, n.Val)
	}
	c := s.Records
	for _, left := range []struct {
		count int
		why   string
		first []string
	}{
		{c.Unlabelled, "no interval touches them", nil},
		{c.Otherwise, "they have a label that is not asked for", nil},
		{c.Partly, "no interval covers enough of them", nil},
		{c.Ties, "two labels cover them equally", s.Ties},
		{c.Between, "they overlap a clip on the other side of the split", nil},
		{c.Unreadable, "they can't be read", s.Unreadable},
	} {
		if left.count > 0 {
			fmt.Fprintf(&b, "left out because %s: %d\n", left.why, left.count)
		}
		listed(&b, left.first, left.count)
	}
	if s.UnmetCount > 0 {
		fmt.Fprintf(&b, "intervals that gave no clip its label: %d\n", s.UnmetCount)
		listed(&b, s.Unmet, s.UnmetCount)
	}
	fmt.Fprintf(&b, "%d clips to train on and %d to validate (%.1f%%), from %s to %s, in %s\n", s.Train, s.Val, 100*float64(s.Val)/float64(s.Train+s.Val),
		s.First.Local().Format(time.DateTime), s.Last.Local().Format(time.DateTime), out)
	if s.Val == 0 && s.ValShare > 0 {
		b.WriteString("no val.txt: no label has two intervals or blocks of time to choose from\n")
	}
	return b.String()
}

func listed(b *strings.Builder, lines []string, count int) {
	for _, line := range lines {
		_, _ = fmt.Fprintf(b, "  %s\n", line)
	}
	if more := count - len(lines); more > 0 && len(lines) > 0 {
		_, _ = fmt.Fprintf(b, "  and %d more\n", more)
	}
}
