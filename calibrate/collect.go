package calibrate

import (
	"context"
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
)

// collector makes series of what is scanned. Each partition has its own, since
// partitions are scanned at the same time.
type collector struct {
	*dial
	mu         sync.Mutex
	partitions map[int]map[string]*series
}

// collect compares the past of cameras with the words of their rules. The columns of a
// camera's series are those of its rules, in their order.
func (d *dial) collect(ctx context.Context, cameras []string) (map[string]*series, error) {
	if d.Model.References == "" {
		return nil, nil
	}
	c := &collector{dial: d, partitions: map[int]map[string]*series{}}
	g := archive.Range{Since: d.Now.Add(-lookBack), Until: d.Now, Cameras: cameras, Ends: c.ends(cameras)}
	if _, err := d.Past.Scan(ctx, g, c.batch); err != nil {
		return nil, err
	}
	out := map[string]*series{}
	for _, own := range c.partitions {
		for camera, s := range own {
			if before := out[camera]; before == nil || before.len() < s.len() {
				out[camera] = s
			}
		}
	}
	return out, nil
}

func (c *collector) partition(id int) map[string]*series {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.partitions[id] == nil {
		c.partitions[id] = map[string]*series{}
	}
	return c.partitions[id]
}

func (c *collector) batch(b archive.Batch) error {
	own := c.partition(b.Partition)
	clips := newReading(b.Dims)
	for i := range b.Rows {
		row := &b.Rows[i]
		wanted := c.Wanted[row.Camera]
		if len(wanted) == 0 || row.Model != c.Model.ID || b.Dims != c.Model.Dims {
			continue
		}
		columns := c.columnsOf(row.Camera)
		s := own[row.Camera]
		if s == nil {
			s = newSeries(len(columns))
			own[row.Camera] = s
		}
		clip := clips.of(b, i)
		s.add(row.Epoch, row.Start, row.End, func(at int) float32 { return columns[at].of(clip, row) })
	}
	return nil
}

// ends is whether any word of the cameras' rules needs clips' first and last frames.
func (c *collector) ends(cameras []string) bool {
	return slices.ContainsFunc(cameras, func(camera string) bool {
		return slices.ContainsFunc(c.columnsOf(camera), func(of column) bool { return of.words.ends })
	})
}

// column is some words of a rule, of which the highest contrast counts.
type column struct {
	words    *Words
	from, to int
}

// columnsOf are those of a camera's rules.
func (c *collector) columnsOf(camera string) (out []column) {
	for _, r := range c.Wanted[camera] {
		rule := c.of(camera, r.Name)
		for _, of := range rule.columns {
			out = append(out, column{rule.words, of[0], of[1]})
		}
	}
	return out
}

// of is the log odds of the highest contrast of the words with a clip.
func (c column) of(clip scoring.Clip, row *archive.Row) float32 {
	best := 0.0
	for i := c.from; i < c.to; i++ {
		_, contrast := c.words.values(i, clip, row.LogitScale, &row.References)
		best = max(best, contrast)
	}
	return float32(logit(best))
}
