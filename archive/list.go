package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/topics"
)

// Day is what the bucket has of a topic on one day of record time.
type Day struct {
	Topic      topics.Topic `json:"topic"`
	Day        string       `json:"day"` // UTC
	Partitions int          `json:"partitions"`
	Segments   int          `json:"segments"`
	Rows       int64        `json:"rows"`
	Skipped    int64        `json:"skipped,omitempty"` // records that nobody can read
	Bytes      int64        `json:"bytes"`
	First      time.Time    `json:"first,omitzero"` // record times
	Last       time.Time    `json:"last,omitzero"`
	Models     []string     `json:"model_ids,omitempty"`
	Broken     int          `json:"broken,omitempty"` // segments that can't be read
}

// footers is how many footers are read at a time.
const footers = 16

// Days lists what the bucket has in a range, by the footers of its segments.
// With cameras, only segments that hold any of them count, with all of their
// rows.
func (b *Bucket) Days(ctx context.Context, g Range) ([]Day, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	var days []Day
	for _, t := range kinds() {
		of, err := b.daysOf(ctx, t, g)
		if err != nil {
			return nil, err
		}
		days = append(days, of...)
	}
	return days, nil
}

func (b *Bucket) daysOf(ctx context.Context, t topics.Topic, g Range) ([]Day, error) {
	since, until := g.recorded()
	segments, err := b.segments(ctx, t, since, until, nil)
	if err != nil {
		return nil, err
	}
	segments = slices.DeleteFunc(segments, func(s Segment) bool { return !walk{since: since, until: until}.meets(s) })
	metas, err := b.metas(ctx, segments)
	if err != nil {
		return nil, err
	}
	byDay := map[string]*dayOf{}
	for i, s := range segments {
		if metas[i] != nil && !g.meets(*metas[i]) {
			continue
		}
		day := s.Hour.Format(dayLayout)
		if byDay[day] == nil {
			byDay[day] = &dayOf{Day: Day{Topic: t, Day: day}, partitions: map[int]bool{}, models: map[string]bool{}}
		}
		byDay[day].add(s, metas[i])
	}
	var days []Day
	for _, d := range byDay {
		d.Partitions, d.Models = len(d.partitions), named(d.models)
		days = append(days, d.Day)
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	return days, nil
}

// metas are the footers of segments, nil for those that are broken.
func (b *Bucket) metas(ctx context.Context, segments []Segment) ([]*Meta, error) {
	metas := make([]*Meta, len(segments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(footers)
	for i, s := range segments {
		group.Go(func() error {
			f, err := b.open(ctx, s)
			if errors.Is(err, errBroken) {
				return nil
			}
			if err == nil {
				metas[i] = &f.Meta
			}
			return err
		})
	}
	return metas, group.Wait()
}

type dayOf struct {
	Day
	partitions map[int]bool
	models     map[string]bool
}

func (d *dayOf) add(s Segment, m *Meta) {
	d.Segments++
	d.Bytes += s.Size
	d.partitions[s.Partition] = true
	if m == nil {
		d.Broken++
		return
	}
	d.Rows += m.Rows
	d.Skipped += m.Skipped
	for _, id := range m.Models {
		d.models[id] = true
	}
	if m.Rows == 0 {
		return
	}
	if d.First.IsZero() {
		d.First = m.First
	}
	d.First, d.Last = earlier(d.First, m.First), later(d.Last, m.Last)
}
