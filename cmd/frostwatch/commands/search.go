package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// pastRange is the part of the past that a command asks about.
type pastRange struct {
	since, until string
	cameras      []string
}

func (r *pastRange) flags(cmd *cobra.Command, since string) {
	cmd.Flags().StringVar(&r.since, "since", since, "from when: RFC 3339, Unix seconds, or how long ago (10m, 7d)")
	cmd.Flags().StringVar(&r.until, "until", "", "to when, likewise (default: now)")
	cmd.Flags().StringArrayVar(&r.cameras, "camera", nil, "name of a camera, or a glob such as 'ward-*'; repeatable")
}

func (r *pastRange) parse(now time.Time) (g archive.Range, err error) {
	for _, glob := range r.cameras {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return g, fmt.Errorf("--camera %q: want a name, or a glob such as 'ward-*'", glob)
		}
	}
	g.Cameras = r.cameras
	g.Since, g.Until, err = moments(r.since, r.until, now)
	if g.Until.IsZero() {
		g.Until = now
	}
	return g, err
}

func (p Program) searchCommand() *cobra.Command {
	t := &vocabTarget{}
	var r pastRange
	var like, view, by string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "search [TEXT]", Short: "Search the recorded past by words, or for clips that are like one",
		Example: "  frostwatch search \"someone leaves a bag\" --since 7d --camera 'hall-*'\n" +
			"  frostwatch search --like lobby-1764345600000-12095 --limit 5",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (like != "") {
				return errors.New("search: want one text in quotation marks, or --like with the id of a clip")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := r.parse(time.Now())
			if err != nil {
				return err
			}
			if view != "" && like == "" {
				return errors.New("--view: want --like beside it: a text is looked for in every view")
			}
			if by != "contrast" && by != "similarity" {
				return fmt.Errorf("--by %q: want contrast or similarity", by)
			}
			if limit < 1 || limit > maxHits {
				return fmt.Errorf("--limit %d: want 1 to %d", limit, maxHits)
			}
			o := calibrate.SearchOptions{Range: g, Limit: limit, Measure: by}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				o.Past = past.Reader
				if o.Query, err = t.query(ctx, past, g, strings.Join(args, ""), like, topics.View(view)); err != nil {
					return err
				}
				if by == "contrast" && o.Words != nil && !o.Words.HasContrast() {
					o.Measure = "similarity"
					_, _ = fmt.Fprintln(p.Err, "ranked by similarity: the newest recordings have no references to take a contrast against")
				}
				began := time.Now()
				found, err := calibrate.Search(ctx, o)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(p.Out, found)
				}
				return printHits(p.Out, found, time.Since(began))
			})
		},
	}
	t.flags(cmd)
	r.flags(cmd, "24h")
	vocabularyFlag(cmd.Flags(), &t.name, "vocabulary whose description and aliases count, if the text is one of its labels")
	cmd.Flags().StringVar(&like, "like", "", "id of a clip: search for those that are like it")
	cmd.Flags().StringVar(&view, "view", "", "with --like: which of the clip's views, such as zoom (default: the first)")
	cmd.Flags().StringVar(&by, "by", "contrast", "what a text's clips are ranked by: contrast or similarity")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many clips to list at most")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

// maxHits bounds --limit.
const maxHits = 10_000

// query makes ready what is searched for.
func (t *vocabTarget) query(ctx context.Context, past *pastAlerts, g archive.Range, text, like string, view topics.View) (q calibrate.Query, err error) {
	if like == "" {
		label := vocab.Label{Name: text}
		if t.name != "" {
			if label, err = t.label(ctx, text, ""); err != nil {
				return q, err
			}
		}
		q.Words, err = t.words(ctx, past, g, []vocab.Label{label})
		return q, err
	}
	if q, _, err = (words.Asker{Past: past.Reader}).Like(ctx, like, view); err != nil {
		return q, fmt.Errorf("--like: %w", err)
	}
	return q, nil
}

// words embeds labels for the model of the newest recordings of a range.
func (t *target) words(ctx context.Context, past *pastAlerts, g archive.Range, labels []vocab.Label) (w *calibrate.Words, err error) {
	err = t.asking(ctx, past, func(_ context.Context, a words.Asker) error {
		w, err = a.Words(ctx, g, labels...)
		return archived(err)
	})
	return w, err
}

// asking calls do with what asks the past about words, and a context that ends soon.
func (t *target) asking(ctx context.Context, past *pastAlerts, do func(context.Context, words.Asker) error) error {
	return t.withRedis(ctx, func(soon context.Context, c *redis.Client, cfg config.Config) error {
		return do(soon, words.Asker{Past: past.Reader, Client: c, Prefix: cfg.Redis.Prefix, Now: past.Now()})
	})
}

// archived says where to look when nothing is recorded.
func archived(err error) error {
	if errors.Is(err, calibrate.ErrNothing) {
		return fmt.Errorf("%w: `frostwatch archive ls` lists what is archived", err)
	}
	return err
}

func printHits(w io.Writer, found *calibrate.Searched, took time.Duration) error {
	var b bytes.Buffer
	if len(found.Hits) > 0 {
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		seen := slices.ContainsFunc(found.Hits, func(h calibrate.Hit) bool { return h.Box != nil })
		head := "TIME\tCAMERA\tCONTRAST\tSIMILARITY\tCLIP"
		if seen {
			head += "\tSEEN IN"
		}
		_, _ = fmt.Fprintln(t, head)
		for _, h := range found.Hits {
			place := ""
			if h.Box != nil {
				place = fmt.Sprintf("\t%s: %s", h.View, h.Box)
			} else if seen {
				place = "\t"
			}
			contrast := "-"
			if h.Contrast != nil {
				contrast = fmt.Sprintf("%.3g", *h.Contrast)
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%s%s\n", h.Start.Local().Format(time.DateTime), topics.Clean(h.Camera), contrast, h.Similarity, topics.Clean(h.Clip), place)
		}
		_ = t.Flush()
	}
	fmt.Fprintf(&b, "%s compared in %s; of those of a camera that begin within %s of each other, the best is listed\n",
		counted(found.Scored, "recording"), took.Round(time.Millisecond), calibrate.Apart)
	writeOtherModels(&b, found.Other)
	_, err := w.Write(b.Bytes())
	return err
}

// writeOtherModels says how many recordings were not compared.
func writeOtherModels(b *bytes.Buffer, other map[string]int) {
	for _, model := range slices.Sorted(maps.Keys(other)) {
		name := topics.Clean(fmt.Sprintf("%.12s", model))
		if name == "" {
			name = "unknown"
		}
		fmt.Fprintf(b, "%s by another model (%s) can't be compared\n", counted(other[model], "recording"), name)
	}
}
