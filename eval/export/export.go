// Package export turns clips recorded on Kafka, together with a table of what
// could be seen when, into a training set: files that train/ can read as they
// are.
package export

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Recorded reads clips of the past and calls fn with one after the other.
// *archive.Reader implements it.
type Recorded interface {
	Clips(ctx context.Context, g archive.Range, fn func(archive.Record[topics.Clip]) error) (archive.Counts, error)
}

// Options of an export.
type Options struct {
	Recorded Recorded
	Topic    string // full name of the topic of clips, for set.json
	Out      string // folder of the set; created if it does not exist
	Replace  bool   // replace an earlier set in Out, once the new one is complete

	Cameras      []string  // globs; a camera is read if one of them matches
	Since, Until time.Time // a clip's whole window must be between them
	// Intervals give clips their labels. If nil, every clip gets the one label
	// in Labels.
	Intervals *Intervals
	Labels    []string // use only these; empty: all labels of Intervals
	Overlap   float64  // least share of a clip's window that its interval must cover, above 0 and up to 1
	// Background is the label of clips that no interval touches; if empty, they
	// are left out.
	Background string
	Val        float64 // share of the clips for validation, 0 to 0.5
	MaxClips   int     // an export that finds more fails

	Version string    // of frostwatch, for set.json
	Now     time.Time // for set.json
	// Progress is called about once a second while records are read, never by
	// two goroutines at once; nil: never.
	Progress func(c Counts, at time.Time)
}

// Counts say what became of the records read.
type Counts struct {
	Records     int `json:"records"` // all that were read
	Unreadable  int `json:"unreadable"`
	OtherCamera int `json:"other_camera"`
	OutOfRange  int `json:"out_of_range"`                 // outside Since and Until
	Repeated    int `json:"repeated"`                     // the same window of the same camera again
	Unlabelled  int `json:"unlabelled"`                   // no interval touches it
	Otherwise   int `json:"labelled_otherwise,omitempty"` // with a label that is not asked for
	Partly      int `json:"partly"`                       // intervals touch it but none covers enough
	Ties        int `json:"ties"`                         // two labels cover it equally
	Between     int `json:"between"`                      // left out: they overlap a clip on the other side of the split
	Kept        int `json:"kept"`
}

// Clips writes the set and describes what is in it. If it fails, Options.Out
// holds nothing new.
func Clips(ctx context.Context, o Options) (_ *Set, err error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("export clips: %w", err)
	}
	out, err := openFolder(o.Out, o.Replace)
	if err != nil {
		return nil, fmt.Errorf("export clips: %w", err)
	}
	defer func() { err = errors.Join(err, out.close()) }()
	c, err := newCollector(o, out)
	if err != nil {
		return nil, fmt.Errorf("export clips: %w", err)
	}
	defer c.close()
	if err := c.readAll(ctx); err != nil {
		return nil, fmt.Errorf("export clips from %s: %w", o.Topic, err)
	}
	set, err := c.finish()
	if err != nil {
		return nil, fmt.Errorf("export clips: %w", err)
	}
	return set, nil
}

func (o Options) check() error {
	switch {
	case len(o.Cameras) == 0:
		return errors.New("camera: want at least one name or glob")
	case !o.Since.Before(o.Until):
		return fmt.Errorf("since %s is not before until %s", stamp(o.Since), stamp(o.Until))
	case !(o.Overlap > 0 && o.Overlap <= 1):
		return fmt.Errorf("overlap %v: want more than 0 and at most 1", o.Overlap)
	case !(o.Val >= 0 && o.Val <= 0.5):
		return fmt.Errorf("val %v: want 0 to 0.5", o.Val)
	case o.MaxClips < 1:
		return fmt.Errorf("max-clips %d: want at least 1", o.MaxClips)
	}
	for _, glob := range o.Cameras {
		if err := checkGlob(glob); err != nil {
			return err
		}
	}
	return o.checkLabels()
}

func (o Options) checkLabels() error {
	for _, l := range o.Labels {
		if err := checkLabel(l); err != nil {
			return err
		}
	}
	if o.Background != "" {
		if err := checkLabel(o.Background); err != nil {
			return fmt.Errorf("background: %w", err)
		}
	}
	if o.Intervals == nil {
		if len(o.Labels) != 1 || o.Background != "" {
			return errors.New("without labelled intervals every clip gets one label: want exactly one --label and no --background")
		}
		return nil
	}
	known := o.Intervals.Labels()
	for _, l := range o.Labels {
		if !slices.Contains(known, l) {
			return fmt.Errorf("label %q: %s has %s", l, o.Intervals.File, quoted(known))
		}
	}
	for _, l := range known {
		if l != o.Background && fold(l) == fold(o.Background) {
			return fmt.Errorf("background %q differs from label %q of %s only in case or spaces", o.Background, l, o.Intervals.File)
		}
	}
	return nil
}

func checkGlob(glob string) error {
	if _, err := path.Match(glob, ""); err != nil || glob == "" {
		return fmt.Errorf("camera %q is not a glob", shorten(glob))
	}
	return nil
}

func matches(globs []string, camera string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := path.Match(glob, camera)
		return err == nil && ok
	})
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
