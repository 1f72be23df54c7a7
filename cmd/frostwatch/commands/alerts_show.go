package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) alertsShow() *cobra.Command {
	t := &target{}
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one alert, and write its pictures and its film", Args: exactly(1),
		Example: "  frostwatch alerts show fall/lobby-1764345600000-12095 --out evidence",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				v, err := past.find(ctx, args[0])
				if err != nil {
					return err
				}
				if v, err = past.judged(ctx, v); err != nil {
					return err
				}
				if said, is := past.verdicts(ctx, p.Err)[v.ID]; is {
					v.Verdict = &said
				}
				clip, err := past.evidence(ctx, v)
				if out != "" {
					return p.writeEvidence(ctx, past, v, clip, err, out)
				}
				v.EvidenceGone = errors.Is(err, archive.ErrGone)
				film, has := past.filmText(ctx, v)
				v.Film = has
				return printAlert(p.Out, v, film, err, asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "folder to write alert.json, the clip's pictures and the film to; created if it does not exist")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

// labelText is the label with what it scored; what the rule compares comes first.
func labelText(v alertlog.View) string {
	text := v.About()
	if v.Measure != "" && v.Value() != 0 {
		text += fmt.Sprintf(", %s %.2f (the rule raises at %.2f)", topics.Clean(v.Measure), v.Value(), v.Threshold)
	}
	if v.Score > 0 && v.Measure != "score" {
		text += fmt.Sprintf(", score %.2f", v.Score)
	}
	if v.Similarity != 0 && v.Measure != "similarity" {
		text += fmt.Sprintf(", similarity %.2f", v.Similarity)
	}
	return text
}

// printAlert prints an alert. film says whether there is one, unreadable why its evidence
// can't be read.
func printAlert(w io.Writer, v alertlog.View, film string, unreadable error, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(w)
		lines.SetIndent("", "  ")
		return lines.Encode(v)
	}
	var b strings.Builder
	row := func(what, value string) {
		if value = topics.Clean(value); value != "" {
			fmt.Fprintf(&b, "%-11s  %s\n", what, value)
		}
	}
	row("alert", v.ID)
	row("state", fmt.Sprintf("%s, %s", v.Word(), v.Lasted(time.Now())))
	row("reason", v.Reason)
	if v.RaiseReason != v.Reason {
		row("raised for", v.RaiseReason)
	}
	row("camera", strings.TrimSpace(v.Camera+" "+strings.Join(v.Tags, ", ")))
	row("cameras", strings.Join(v.Cameras, ", "))
	row("rule", fmt.Sprintf("%s, %s", v.Rule, v.Severity))
	row("notifies", strings.Join(v.Notify, ", "))
	row("label", labelText(v))
	row("zone", v.Zone)
	if v.Box != nil {
		row("seen in", fmt.Sprintf("%s: %s", v.View, v.Box))
	}
	if v.Novel {
		row("novel", "the model was not trained on this label; nearest to "+v.NearestBase)
	}
	if v.Probability != nil {
		row("probability", fmt.Sprintf("%.2f that it is true, by the marks of its label", *v.Probability))
	}
	row("mark", markText(v))
	row("opinion", verdictText(v))
	row("asked", askedText(v))
	row("since", v.Onset.Local().Format(time.DateTime))
	if v.EscalatedAt != nil {
		row("escalated", v.EscalatedAt.Local().Format(time.DateTime))
	}
	if v.ClearedAt != nil {
		row("cleared", v.ClearedAt.Local().Format(time.DateTime))
	}
	row("model", v.Model)
	row("vocabulary", strings.TrimSpace(v.Vocab.Name+" "+v.Vocab.Version))
	switch e := v.Evidence; {
	case e == nil:
		row("evidence", "none was kept")
	case v.EvidenceGone:
		row("evidence", "no longer kept: Kafka has deleted it by age")
	case unreadable != nil:
		row("evidence", "can't be read: "+unreadable.Error())
	default:
		row("evidence", fmt.Sprintf("%s, partition %d, offset %d; --out DIR writes its pictures", e.Topic, e.Partition, e.Offset))
	}
	row("film", film)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeEvidence writes an alert, its pictures and its film to a folder; unreadable is why
// there are no pictures, which is no error where there is a film.
func (p Program) writeEvidence(ctx context.Context, past *pastAlerts, v alertlog.View, clip topics.Clip, unreadable error, dir string) error {
	text, has := past.filmText(ctx, v)
	v.Film = has
	if unreadable != nil && !has {
		return noPictures(unreadable)
	}
	if err := p.writeRecord(v, dir); err != nil {
		return err
	}
	if unreadable == nil {
		if err := p.writePictures(v, clip, dir); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(p.Err, "note: %s\n", topics.Clean(noPictures(unreadable).Error())); err != nil {
		return err
	}
	if has {
		return past.writeFilm(ctx, v, dir, p.Out)
	}
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintf(p.Err, "film: %s\n", text)
	return err
}

// noPictures says why an alert's pictures can't be written.
func noPictures(err error) error {
	if errors.Is(err, archive.ErrGone) {
		return fmt.Errorf("write the pictures of the alert: %w", err)
	}
	return fmt.Errorf("read the evidence: %w", err)
}

// writeRecord makes the folder, and writes the alert.
func (p Program) writeRecord(v alertlog.View, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for the alert: %w", err)
	}
	record, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, "alert.json"), append(record, '\n'))
}

// evidence is the clip that raised an alert.
func (p *pastAlerts) evidence(ctx context.Context, v alertlog.View) (topics.Clip, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return p.Reader.Evidence(ctx, v.Alert)
}

// writePictures writes an alert's pictures to a folder that exists. It overwrites no file.
func (p Program) writePictures(v alertlog.View, clip topics.Clip, dir string) error {
	for i, f := range clip.Frames {
		if err := writeNew(filepath.Join(dir, fmt.Sprintf("frame-%d.jpg", i+1)), f.JPEG); err != nil {
			return err
		}
	}
	strip, unusable := media.Filmstrip(clip, v.Box)
	names := "alert.json, filmstrip.jpg"
	if unusable != nil {
		names = "alert.json"
	} else if err := writeNew(filepath.Join(dir, "filmstrip.jpg"), strip); err != nil {
		return err
	}
	line := fmt.Sprintf("%s and %d pictures of %s are in %s", names, len(clip.Frames), v.Camera, dir)
	if clip.Zoom != nil {
		for i, j := range clip.Zoom.JPEGs {
			if err := writeNew(filepath.Join(dir, fmt.Sprintf("zoom-%d.jpg", i+1)), j); err != nil {
				return err
			}
		}
		line += ", and as many of what its zoom shows"
	}
	_, err := fmt.Fprintln(p.Out, line)
	if err == nil && unusable != nil {
		_, err = fmt.Fprintf(p.Err, "warning: %s\n", topics.Clean(unusable.Error()))
	}
	return err
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write a file: %s exists already: name another folder, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
