package commands

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// checkFlags say what is checked, and how it is shown.
type checkFlags struct {
	pastRange
	raise       float64
	description string
	out         string
	verbose     bool
	asJSON      bool
}

func (p Program) vocabCheck(t *vocabTarget) *cobra.Command {
	f := checkFlags{raise: alerts.DefaultContrast}
	cmd := &cobra.Command{
		Use: "check PHRASE", Short: "Say how far a phrase stands out from what cameras usually show", Args: exactly(1),
		Long: "Compares the recorded past with a phrase, which no vocabulary needs to have: how high its contrast gets\n" +
			"on what the cameras showed, which labels are close to it, and which clips. A label of the vocabulary has\nits aliases and description. " +
			"What no camera has shown yet can't be checked: the past says whether a phrase\nraises false alarms, not whether the model would recognise what it describes. Nothing is changed.",
		Example: "  frostwatch vocab check \"a nurse washing hands\" --camera ward-2\n  frostwatch vocab check \"person waving\" --since 24h --out closest",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := f.parse(time.Now())
			if err != nil {
				return err
			}
			if !(f.raise > 0 && f.raise <= 1) {
				return fmt.Errorf("--raise %v: want more than 0, and 1 at most", f.raise)
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				if err := t.ofCameras(ctx, past, f.cameras, p.Err); err != nil {
					return err
				}
				v, err := t.check(ctx, past, g, args[0], f)
				if err != nil {
					return err
				}
				if f.out != "" {
					if err := p.writeClosest(ctx, past, v.Closest, f.out); err != nil {
						return err
					}
				}
				if f.asJSON {
					return printJSON(p.Out, v)
				}
				return p.printChecked(v, f.verbose)
			})
		},
	}
	f.flags(cmd, "7d")
	cmd.Flags().Float64Var(&f.raise, "raise", f.raise, "contrast from which on a rule would raise an alert")
	cmd.Flags().StringVar(&f.description, "description", "", "more words for the model")
	cmd.Flags().StringVar(&f.out, "out", "", "folder to write the pictures of the closest clips to; created if it does not exist")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "print all cameras and labels, and the reference texts that are left out")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: one object")
	return cmd
}

// checkedView is what `vocab check` prints.
type checkedView struct {
	Phrase  string   `json:"phrase"`
	Texts   []string `json:"texts"`
	Meaning string   `json:"meaning"` // of the verdict
	Raise   float64  `json:"raise"`
	*calibrate.Checked
	// OtherLabels is how many the vocabulary has beside the phrase.
	OtherLabels int            `json:"other_labels"`
	Advice      []vocab.Advice `json:"advice"`
	Closest     []closeClip    `json:"closest"`
}

// closeClip is one of the clips that come closest to the phrase.
type closeClip struct {
	calibrate.Hit
	Alerts   []string `json:"alerts,omitempty"`   // that were open then, by id
	Pictures string   `json:"pictures,omitempty"` // folder that they were written to
}

func (t *vocabTarget) check(ctx context.Context, past *pastAlerts, g archive.Range, name string, f checkFlags) (v checkedView, err error) {
	label, others, err := t.phrase(ctx, name, f.description)
	if err != nil {
		return v, err
	}
	reader, err := labelReader()
	if err != nil {
		return v, err
	}
	var checked words.Checked
	reader = t.ofModel(ctx, reader)
	err = t.asking(ctx, past, func(_ context.Context, a words.Asker) error {
		checked, err = a.Check(ctx, words.CheckOptions{Label: label, Others: others, Reader: reader, Range: g, Raise: f.raise, Closest: 5})
		return archived(err)
	})
	if err != nil {
		return v, err
	}
	v = checkedView{
		Phrase: label.Name, Texts: label.Texts(), Raise: f.raise, OtherLabels: checked.OtherLabels,
		Advice: checked.Advice, Checked: checked.Checked, Meaning: checked.Verdict.Meaning(),
	}
	v.Closest, err = past.alertsOf(ctx, checked.Closest)
	return v, err
}

// phrase is the label to check and the others of the vocabulary.
func (t *vocabTarget) phrase(ctx context.Context, name, description string) (label vocab.Label, others []vocab.Label, err error) {
	if label, err = t.label(ctx, name, description); err != nil {
		return label, nil, err
	}
	err = t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		s, vocabulary := t.store(c, cfg)
		all, err := s.List(ctx, vocabulary)
		others = slices.DeleteFunc(all.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, name) })
		return err
	})
	return label, others, err
}

// alertsOf adds to clips the alerts that were open while they were recorded.
func (p *pastAlerts) alertsOf(ctx context.Context, hits []calibrate.Hit) ([]closeClip, error) {
	out := make([]closeClip, len(hits))
	for i, h := range hits {
		out[i].Hit = h
		if _, err := path.Match(h.Camera, ""); err != nil {
			continue // a record with a name that no camera can have
		}
		open := map[string]bool{}
		// An alert's record is from its onset on, and its clear after that.
		g := archive.Range{Since: h.Start.Add(-lookForRaise), Until: h.End.Add(lookForClear), Cameras: []string{h.Camera}}
		if err := p.Each(ctx, g, func(a topics.Alert) {
			switch {
			case a.Camera != h.Camera:
			case a.State == topics.AlertCleared && !a.At.After(h.Start):
				delete(open, a.ID)
			case a.State != topics.AlertCleared && !a.Onset.After(h.End):
				open[a.ID] = true
			}
		}); err != nil {
			return nil, err
		}
		for id := range open {
			out[i].Alerts = append(out[i].Alerts, id)
		}
		slices.Sort(out[i].Alerts)
	}
	return out, nil
}

const (
	// lookForRaise is how long before a clip an alert that was open then may have been
	// raised, and lookForClear how long after it the record of one that began with it
	// may come.
	lookForRaise = 6 * time.Hour
	lookForClear = 5 * time.Minute
)

// writeClosest writes the pictures of clips, each to a folder by its place in the list.
// It overwrites no file.
func (p Program) writeClosest(ctx context.Context, past *pastAlerts, clips []closeClip, dir string) error {
	for i, c := range clips {
		rec, err := calibrate.Clip(ctx, past.Reader, c.Clip)
		var clip topics.Clip
		if err == nil {
			clip, err = past.Reader.Clip(ctx, rec.Clip)
		}
		if err != nil {
			_, _ = fmt.Fprintf(p.Err, "no pictures of %s: %s\n", topics.Clean(c.Clip), topics.Clean(err.Error()))
			continue
		}
		own := filepath.Join(dir, strconv.Itoa(i+1))
		if err := os.MkdirAll(own, 0o755); err != nil {
			return fmt.Errorf("make the folder for the clip: %w", err)
		}
		for j, f := range clip.Frames {
			if err := writeNew(filepath.Join(own, fmt.Sprintf("frame-%d.jpg", j+1)), f.JPEG); err != nil {
				return err
			}
		}
		clips[i].Pictures = own
	}
	return nil
}
