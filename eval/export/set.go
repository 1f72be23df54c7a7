package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Set describes what an export wrote and where it came from; it is set.json.
type Set struct {
	Format     string    `json:"format"` // "frostwatch-clips/1"
	Frostwatch string    `json:"frostwatch"`
	Created    time.Time `json:"created"`
	Topic      string    `json:"topic"`
	Cameras    []string  `json:"cameras"` // as asked for
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	Intervals  *Source   `json:"intervals,omitempty"`
	Labels     []string  `json:"only_labels,omitempty"`
	Overlap    float64   `json:"overlap"`
	Background string    `json:"background,omitempty"`
	ValShare   float64   `json:"val_share"`

	Classes []string  `json:"classes"` // in the order of classes.txt
	Train   int       `json:"train"`   // clips
	Val     int       `json:"val"`
	First   time.Time `json:"first"` // start of the first clip in the set
	Last    time.Time `json:"last"`
	// PerLabel counts the clips of each label and camera.
	PerLabel map[string]map[string]Sides `json:"per_label"`
	Records  Counts                      `json:"records"`

	// For messages only, not in the file: a few of each.
	Unreadable, Ties, Unmet []string `json:"-"`
	UnmetCount              int      `json:"-"`
}

// Source is the file from which the labels came.
type Source struct {
	File   string `json:"file"` // without its folder
	SHA256 string `json:"sha256"`
}

// Sides counts the clips on each side of the split.
type Sides struct {
	Train int `json:"train"`
	Val   int `json:"val"`
}

func (c *collector) describe(clips []*kept) *Set {
	s := &Set{
		Format: "frostwatch-clips/1", Frostwatch: c.Version, Created: c.Now.UTC().Truncate(time.Second),
		Topic: c.Topic, Cameras: c.Cameras, Since: c.Since.UTC(), Until: c.Until.UTC(), Labels: c.Labels,
		Overlap: c.Overlap, Background: c.Background, ValShare: c.Val,
		PerLabel: map[string]map[string]Sides{}, Records: c.counts, Unreadable: c.broken, Ties: c.labels.ties,
	}
	if c.Intervals != nil {
		s.Intervals = &Source{filepath.Base(c.Intervals.File), c.Intervals.SHA256}
	}
	s.First, s.Last = period(clips)
	s.UnmetCount, s.Unmet = c.labels.unmet()
	for _, k := range clips {
		s.count(k)
	}
	s.Classes = slices.Sorted(maps.Keys(s.PerLabel))
	return s
}

func (s *Set) count(k *kept) {
	cameras := s.PerLabel[k.group.label]
	if cameras == nil {
		cameras = map[string]Sides{}
		s.PerLabel[k.group.label] = cameras
	}
	n := cameras[k.group.camera]
	if k.group.val {
		n.Val++
		s.Val++
	} else {
		n.Train++
		s.Train++
	}
	cameras[k.group.camera] = n
}

// Of counts the clips of a label over all cameras.
func (s *Set) Of(label string) Sides {
	var sum Sides
	for _, n := range s.PerLabel[label] {
		sum.Train += n.Train
		sum.Val += n.Val
	}
	return sum
}

// writeLists writes everything but the clips. Lists give classes by number,
// because a label's text might not survive a list's syntax.
func writeLists(out *folder, clips []*kept, s *Set) error {
	var train, val strings.Builder
	for _, k := range clips {
		b := &train
		if k.group.val {
			b = &val
		}
		class, _ := slices.BinarySearch(s.Classes, k.group.label)
		fmt.Fprintf(b, "%s %d\n", k.path, class)
	}
	about, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("describe the set: %w", err)
	}
	files := map[string]string{
		trainFile: train.String(), classesFile: strings.Join(s.Classes, "\n") + "\n", setFile: string(about) + "\n",
	}
	if s.Val > 0 {
		files[valFile] = val.String()
	}
	for name, text := range files {
		if err := out.write(name, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
