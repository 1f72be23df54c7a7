package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) cameraList(t *target) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List cameras and what their streams are doing", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraedit.Editor) error {
				all, err := table.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return writeCamerasJSON(p.Out, all)
				}
				return writeCameras(p.Out, all, time.Now())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

// writeCameras prints a table. An unknown state is a dash; the last column says
// why it is unknown.
func writeCameras(out io.Writer, all []cameras.Entry, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "no cameras: add one by its name and URL")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	zoned := slices.ContainsFunc(all, func(e cameras.Entry) bool { return len(e.Zones) > 0 })
	cell := func(e cameras.Entry) string {
		if !zoned {
			return ""
		}
		return "\t" + dash(strings.Join(slices.Sorted(maps.Keys(e.Zones)), ","))
	}
	heading := ""
	if zoned {
		heading = "\tZONES"
	}
	_, err := fmt.Fprintln(w, "NAME\tSTATE\tCODEC\tSIZE\tFPS\tSINCE\tWORKER\tTAGS"+heading+"\tURL\tREASON")
	for _, e := range all {
		if err != nil {
			break
		}
		s := e.Status
		_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s%s\t%s\t%s\n", e.Name, dash(string(s.State)), dash(s.Codec),
			size(s), rate(s), since(s, now), dash(s.Worker), dash(strings.Join(e.Tags, ",")), cell(e), cameras.RedactURL(e.URL), s.Why())
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

func dash(text string) string { return cmp.Or(text, "-") }

func size(s topics.StreamStatus) string {
	if s.Width == 0 {
		return "-"
	}
	return fmt.Sprintf("%dx%d", s.Width, s.Height)
}

func rate(s topics.StreamStatus) string {
	if s.FPS == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", s.FPS)
}

// since formats for how long the state has lasted.
func since(s topics.StreamStatus, now time.Time) string {
	if s.Since.IsZero() || s.State == "" {
		return "-"
	}
	return max(now.Sub(s.Since), 0).Round(time.Second).String()
}

// cameraRow is a camera in the output of `camera ls --json`.
type cameraRow struct {
	Name      string                    `json:"name"`
	URL       string                    `json:"url"`             // without secrets
	Watch     string                    `json:"watch,omitempty"` // the same
	Tags      []string                  `json:"tags"`
	Source    string                    `json:"source"`
	Transport string                    `json:"transport,omitempty"`
	Stride    *topics.Stride            `json:"stride,omitempty"`
	Window    string                    `json:"window,omitempty"`
	Poll      string                    `json:"poll,omitempty"`
	TLSVerify *bool                     `json:"tls_verify,omitempty"`
	TLSPin    string                    `json:"tls_fingerprint,omitempty"`
	Decode    string                    `json:"decode,omitempty"`
	Record    string                    `json:"record,omitempty"`
	Zones     map[string]topics.Polygon `json:"zones,omitempty"`
	Disabled  bool                      `json:"disabled,omitempty"`
	State     string                    `json:"state"` // empty: unknown, for the reason given
	Reason    string                    `json:"reason,omitempty"`
	NoFilms   string                    `json:"no_films,omitempty"` // why, where its main stream can't be read
	Since     *time.Time                `json:"since,omitempty"`
	RetryAt   *time.Time                `json:"retry_at,omitempty"`
	Worker    string                    `json:"worker,omitempty"`
	Codec     string                    `json:"codec,omitempty"`
	Width     int                       `json:"width,omitempty"`
	Height    int                       `json:"height,omitempty"`
	FPS       float64                   `json:"fps,omitempty"`
}

func writeCamerasJSON(out io.Writer, all []cameras.Entry) error {
	rows := make([]cameraRow, 0, len(all))
	for _, e := range all {
		s := e.Status
		row := cameraRow{
			Name: e.Name, URL: cameras.RedactURL(e.URL), Tags: append([]string{}, e.Tags...), Decode: string(e.Decode), Record: string(e.Record), Source: cmp.Or(e.Source, topics.SourcePerson),
			Transport: e.Transport, TLSVerify: e.TLSVerify, TLSPin: e.TLSFingerprint, Zones: e.Zones, Disabled: e.Disabled, State: string(s.State), Reason: s.Reason, Worker: s.Worker,
			Codec: s.Codec, Width: s.Width, Height: s.Height, FPS: s.FPS,
		}
		if e.Stride != (topics.Stride{}) {
			row.Stride = &e.Stride
		}
		if e.Window != 0 {
			row.Window = time.Duration(e.Window).String()
		}
		if e.Watch != "" {
			row.Watch = cameras.RedactURL(e.Watch)
		}
		row.NoFilms = s.NoFilms()
		if e.Poll != 0 {
			row.Poll = time.Duration(e.Poll).String()
		}
		if !s.Since.IsZero() {
			row.Since = &s.Since
		}
		if !s.RetryAt.IsZero() {
			row.RetryAt = &s.RetryAt
		}
		rows = append(rows, row)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
