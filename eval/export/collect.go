package export

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// collector gathers the clips of a set. It must not be used concurrently.
type collector struct {
	Options
	out    *folder
	labels *labeller
	frames *frameChecker

	counts   Counts
	clips    []*kept
	broken   []string // why records could not be read: the first few reasons
	reported time.Time
}

// kept is a clip in the set.
type kept struct {
	path       string // within the set
	start, end time.Time
	of         stretch
	group      *group // set once all clips are known
	dropped    bool
}

// group is the clips of one stretch.
type group struct {
	stretch
	background bool
	clips      int
	val        bool
}

func newCollector(o Options, out *folder) (*collector, error) {
	frames, err := newFrameChecker()
	if err != nil {
		return nil, err
	}
	return &collector{Options: o, out: out, labels: newLabeller(o), frames: frames}, nil
}

func (c *collector) close() { c.frames.close() }

// keep writes the clip's file. Its name consists of the camera's name, which
// the codec has checked, and the time; nothing else from the record goes into
// it.
func (c *collector) keep(clip topics.Clip, of stretch) error {
	if len(c.clips) == c.MaxClips {
		return fmt.Errorf("more than %d clips: narrow the time, the cameras or the labels, or raise --max-clips", c.MaxClips)
	}
	k := &kept{start: clip.StartTime(), end: clip.EndTime(), of: of}
	k.path = fmt.Sprintf("%s/%s/%[2]s-%s.avi", clipsFolder, clip.Camera, k.start.UTC().Format("20060102T150405.000Z"))
	err := c.out.write(k.path, avi(clip))
	if errors.Is(err, fs.ErrExist) {
		c.counts.Repeated++
		return nil
	}
	if err != nil {
		return err
	}
	c.clips = append(c.clips, k)
	return nil
}

// finish splits what was gathered and moves the set to its place.
func (c *collector) finish() (*Set, error) {
	split(grouped(c.clips, c.Background), c.Val)
	left := make([]*kept, 0, len(c.clips))
	drop(c.clips)
	for _, k := range c.clips {
		if !k.dropped {
			left = append(left, k)
			continue
		}
		c.counts.Between++
		if err := c.out.remove(k.path); err != nil {
			return nil, err
		}
	}
	c.counts.Kept = len(left)
	set := c.describe(left)
	if set.Train == 0 {
		return nil, c.nothing()
	}
	if err := writeLists(c.out, left, set); err != nil {
		return nil, err
	}
	return set, c.out.commit()
}

// nothing returns an error that says why there is nothing to train on.
func (c *collector) nothing() error {
	n := c.counts
	err := fmt.Errorf("no clip is left to train on: of %d records, %d are of other cameras, %d outside the time asked for, %d unreadable, %d without a label, %d labelled otherwise, %d covered too little, %d ties",
		n.Records, n.OtherCamera, n.OutOfRange, n.Unreadable, n.Unlabelled, n.Otherwise, n.Partly, n.Ties)
	if len(c.broken) > 0 {
		err = fmt.Errorf("%w; unreadable: %s", err, c.broken[0])
	}
	if count, first := c.labels.unmet(); count > 0 {
		err = fmt.Errorf("%w; %s (is its time zone right?)", err, first[0])
		if count > 1 {
			err = fmt.Errorf("%w, and likewise for %d more intervals", err, count-1)
		}
	}
	return err
}
