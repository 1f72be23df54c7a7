package up

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/topics"
)

// followCameras prints each edit of the table of cameras from now on.
func (u *up) followCameras(ctx context.Context, pr *process.Process) error {
	t, err := pr.Cameras()
	if err != nil {
		return err
	}
	known := map[string]topics.Camera{}
	live := false
	err = t.Follow(ctx, func(name string, c *topics.Camera) error {
		was, there := known[name]
		if c == nil {
			delete(known, name)
		} else {
			known[name] = *c
		}
		// The cameras of `up` itself are seen by their streams.
		if !live || c != nil && c.Source == topics.SourceUp {
			return nil
		}
		line := editLine(was, there, c)
		if line == "" {
			return nil
		}
		_, err := fmt.Fprintf(u.Out, "%s  camera  %-20s  %s\n", time.Now().Format(clock), name, line)
		return err
	}, func() { live = true })
	return process.IgnoreEnd(ctx, err)
}

// editLine describes an edit. It is empty if nothing has changed.
func editLine(was topics.Camera, there bool, c *topics.Camera) string {
	switch {
	case c == nil && !there:
		return ""
	case c == nil:
		return "removed"
	case !there:
		return strings.TrimSpace("added " + cameras.RedactURL(c.URL) + tagText(c.Tags))
	case was.URL != c.URL:
		return "changed to " + cameras.RedactURL(c.URL) + tagText(c.Tags)
	}
	return "changed" + tagText(c.Tags)
}

func tagText(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return ", tags " + strings.Join(tags, ", ")
}
