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
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) alertsShow() *cobra.Command {
	t := &target{}
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one alert, and write its pictures", Args: exactly(1),
		Example: "  frostwatch alerts show fall/lobby-1764345600000-12095 --out evidence",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				v, err := findAlert(ctx, b, n, args[0])
				if err != nil {
					return err
				}
				if out != "" {
					return p.writeAlert(ctx, b, n, v, out)
				}
				return printAlert(p.Out, v, asJSON)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "folder to write alert.json and the clip's pictures to; made where it is absent")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// ourID is an alert's id as Frostwatch makes it: rule, and clip of its onset.
var ourID = regexp.MustCompile(`^[^/]+/(.+)-\d+-\d+$`)

// findAlert reads the records of an alert: in the partition of the camera that
// its id names, or else in all.
func findAlert(ctx context.Context, b *bus.Client, n topics.Names, id string) (alertView, error) {
	views := alertViews{}
	take := func(m bus.Message) error {
		if a, err := topics.DecodeAlert(m.Value); err == nil && a.ID == id {
			views.add(a)
		}
		return nil
	}
	topic := n.Of(topics.Alerts)
	var err error
	if camera := ourID.FindStringSubmatch(id); camera != nil {
		var partition int
		if partition, err = b.PartitionOf(ctx, topic, []byte(camera[1])); err == nil {
			err = b.Replay(ctx, topic, partition, 0, -1, take)
		}
	}
	if err == nil && len(views) == 0 {
		err = b.ReadAll(ctx, topic, time.Time{}, false, take)
	}
	if err != nil {
		return alertView{}, err
	}
	v, ok := views[id]
	if !ok {
		return v, fmt.Errorf("no alert has the id %q: alerts ls lists those that there are, and they are kept for 90 days", topics.Clean(id))
	}
	return v, nil
}

func printAlert(w io.Writer, v alertView, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(w)
		lines.SetIndent("", "  ")
		return lines.Encode(v)
	}
	var b strings.Builder
	row := func(what, value string) {
		if value = topics.Clean(value); value != "" {
			fmt.Fprintf(&b, "%-10s  %s\n", what, value)
		}
	}
	row("alert", v.ID)
	row("state", fmt.Sprintf("%s, %s", v.word(), v.lasted(time.Now())))
	row("reason", v.Reason)
	row("camera", strings.TrimSpace(v.Camera+" "+strings.Join(v.Tags, ", ")))
	row("rule", fmt.Sprintf("%s, %s", v.Rule, v.Severity))
	row("label", fmt.Sprintf("%s, score %.2f, similarity %.2f", v.Label, v.Score, v.Similarity))
	if v.Novel {
		row("novel", "the model was not trained on this label; nearest to "+v.NearestBase)
	}
	row("since", v.Onset.Local().Format(time.DateTime))
	if v.ClearedAt != nil {
		row("cleared", v.ClearedAt.Local().Format(time.DateTime))
	}
	row("model", v.Model)
	row("vocabulary", strings.TrimSpace(v.Vocab.Name+" "+v.Vocab.Version))
	if e := v.Evidence; e != nil {
		row("evidence", fmt.Sprintf("%s, partition %d, offset %d; --out DIR writes its pictures", e.Topic, e.Partition, e.Offset))
	} else {
		row("evidence", "none was kept")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// evidenceOf is the clip that raised an alert.
func evidenceOf(ctx context.Context, b *bus.Client, n topics.Names, v alertView) (topics.Clip, error) {
	e := v.Evidence
	switch {
	case e == nil:
		return topics.Clip{}, errors.New("no evidence was kept of this alert")
	case e.Topic != n.Of(topics.Evidence) && e.Topic != n.Of(topics.Clips): // the latter: by an older version
		return topics.Clip{}, fmt.Errorf("its evidence is said to lie in topic %q, which holds none", topics.Clean(e.Topic))
	}
	m, err := b.FetchOne(ctx, e.Topic, e.Partition, e.Offset)
	if err != nil {
		return topics.Clip{}, fmt.Errorf("read the evidence: %w", err)
	}
	clip, err := topics.DecodeClip(m.Value)
	if err == nil && clip.Camera != v.Camera {
		err = fmt.Errorf("the evidence is a clip of another camera: want %s", v.Camera)
	}
	return clip, err
}

// writeAlert writes an alert and its pictures to a folder. Files that are there
// are left.
func (p Program) writeAlert(ctx context.Context, b *bus.Client, n topics.Names, v alertView, dir string) error {
	clip, err := evidenceOf(ctx, b, n, v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for the alert: %w", err)
	}
	record, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "alert.json"), append(record, '\n')); err != nil {
		return err
	}
	for i, f := range clip.Frames {
		if err := writeNew(filepath.Join(dir, fmt.Sprintf("frame-%d.jpg", i+1)), f.JPEG); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.Out, "alert.json and %d pictures of %s are in %s\n", len(clip.Frames), v.Camera, dir)
	return err
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write the alert: %s is there already: name another folder, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("write the alert: %w", err)
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
