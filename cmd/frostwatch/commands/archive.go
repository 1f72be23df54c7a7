package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/eval/export"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) archiveCommand() *cobra.Command {
	t := &target{}
	var http string
	cmd := &cobra.Command{
		Use: "archive", Short: "Archive recognitions and alerts; list and check what is archived", Args: none,
		Long: "Without a subcommand, runs the stage that writes recognitions and alerts as Parquet files\n" +
			"into archive.bucket of the configuration. `frostwatch up` runs it by itself.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.runStage(cmd.Context(), stageFlags{t.config, http}, "archive", nil, func(pr *process.Process) ([]process.Part, error) {
				return pr.Archive(cmd.Context())
			})
		},
	}
	t.flags(cmd)
	httpFlag(cmd, &http)
	cmd.AddCommand(p.archiveList(t), p.archiveCheck(t))
	return cmd
}

func (p Program) archiveList(t *target) *cobra.Command {
	var since, until string
	var cameras []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List what is archived, by day", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g := archive.Range{Cameras: cameras}
			var err error
			if g.Since, g.Until, err = moments(since, until, time.Now()); err != nil {
				return err
			}
			return t.withBucket(cmd.Context(), func(b *archive.Bucket) error {
				days, err := b.Days(cmd.Context(), g)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(p.Out, append([]archive.Day{}, days...))
				}
				return printDays(p.Out, days)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "from when: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().StringVar(&until, "until", "", "to when, likewise")
	cmd.Flags().StringArrayVar(&cameras, "camera", nil, "only files that hold this camera (name or glob; repeatable), with all of their rows")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// moments reads --since and --until; empty: a zero time.
func moments(since, until string, now time.Time) (from, to time.Time, err error) {
	for _, at := range []struct {
		name, text string
		to         *time.Time
	}{{"since", since, &from}, {"until", until, &to}} {
		if at.text == "" {
			continue
		}
		if *at.to, err = export.ParseMoment(at.text, now); err != nil {
			return from, to, fmt.Errorf("--%s %w", at.name, err)
		}
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, fmt.Errorf("--since %s is not before --until %s", since, until)
	}
	return from, to, nil
}

func (p Program) archiveCheck(t *target) *cobra.Command {
	var alone, asJSON bool
	cmd := &cobra.Command{
		Use: "check", Short: "Read every file and report what is missing, duplicate or broken", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return t.withBucket(ctx, func(b *archive.Bucket) error {
				r, err := p.checkArchive(ctx, t, b, alone)
				if err != nil {
					return err
				}
				if err := printReport(p.Out, r, asJSON); err != nil {
					return err
				}
				if n := len(r.Faults); n > 0 {
					return fmt.Errorf("archive check: %s", counted(n, "fault"))
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&alone, "alone", false, "compare files only with each other, not with Kafka")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

func (p Program) checkArchive(ctx context.Context, t *target, b *archive.Bucket, alone bool) (*archive.Report, error) {
	cfg, err := t.load()
	switch {
	case err != nil && !alone:
		return nil, fmt.Errorf("%w (--alone compares files without Kafka)", err)
	case err != nil && t.config != "":
		return nil, err
	}
	names := topics.Names{Prefix: cfg.Kafka.Prefix}
	o := archive.CheckOptions{Bucket: b, Names: names, Group: names.Group(cfg.Archive.Group), Keep: process.ArchiveKeep(cfg.Archive)}
	if alone {
		return archive.Check(ctx, o)
	}
	var r *archive.Report
	err = withClient(cfg, func(c *bus.Client) error {
		if err := t.ping(ctx, c, cfg); err != nil {
			return fmt.Errorf("%w (--alone compares files without Kafka)", err)
		}
		o.Log, o.Committed = c, c.CommittedOffsets
		r, err = archive.Check(ctx, o)
		return err
	})
	return r, err
}

// withBucket calls do with the archive that the configuration names, or that of the
// `up` that runs or ran on the data directory.
func (t *target) withBucket(ctx context.Context, do func(*archive.Bucket) error) error {
	location, err := t.archive()
	if err != nil {
		return err
	}
	if location == "" {
		return t.noArchive()
	}
	b, err := archive.OpenBucket(ctx, location)
	if err != nil {
		return err
	}
	return errors.Join(do(b), b.Close())
}

// noArchive is the error where there is no archive.
func (t *target) noArchive() error {
	if t.config != "" {
		return fmt.Errorf("no archive: %s names no archive.bucket; for that of `frostwatch up` leave out --config, or use --data", t.config)
	}
	if exists(up.ArchiveDir(t.data)) {
		return fmt.Errorf("no archive: archive.bucket of the running frostwatch is %q; --config with archive.bucket %s reads what was archived before", config.NoArchive, up.ArchiveDir(t.data))
	}
	return fmt.Errorf("no archive: `frostwatch up` has none in %s", t.data)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printDays(w io.Writer, days []archive.Day) error {
	if len(days) == 0 {
		_, err := fmt.Fprintln(w, "nothing is archived in this range (the newest hour is on Kafka alone)")
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "TOPIC\tDAY (UTC)\tPARTITIONS\tFILES\tROWS\tMB\tFROM\tTO\tMODELS")
	for _, d := range days {
		models := make([]string, len(d.Models))
		for i, m := range d.Models {
			models[i] = topics.Clean(fmt.Sprintf("%.12s", m))
		}
		note := ""
		if d.Broken > 0 {
			note = fmt.Sprintf("  %s broken: see `frostwatch archive check`", counted(d.Broken, "file"))
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%.1f\t%s\t%s\t%s%s\n", d.Topic, d.Day, d.Partitions, d.Segments, d.Rows,
			float64(d.Bytes)/1e6, d.First.UTC().Format(time.TimeOnly), d.Last.UTC().Format(time.TimeOnly), strings.Join(models, " "), note)
	}
	return out.Flush()
}

func printReport(w io.Writer, r *archive.Report, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	if r.Segments == 0 && len(r.Faults) == 0 {
		_, err := fmt.Fprintln(w, "nothing is archived yet: there is no file to check")
		return err
	}
	for _, f := range r.Faults {
		if _, err := fmt.Fprintf(w, "%s\n  %s\n  what to do: %s\n", topics.Clean(f.Where), f.What, f.Advice); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "read %s with %s, %.1f MB: %s\n", counted(r.Segments, "file"), counted(int(r.Rows), "record"), float64(r.Bytes)/1e6, counted(len(r.Faults), "fault"))
	return err
}

// counted is "1 file", "2 files".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
