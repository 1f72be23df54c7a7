package archive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Name says what a segment holds: the records of one topic's partition with
// offsets in [From, To), all of one hour of record time.
type Name struct {
	Topic     topics.Topic // without the configured prefix
	Partition int
	Hour      time.Time // UTC, on the hour
	From, To  int64
}

const (
	dayLayout = "2006-01-02"
	suffix    = ".parquet"
)

// Key is the object's name. A day can be listed without others, and names of one
// day and partition sort by hour and offset.
func (n Name) Key() string {
	return fmt.Sprintf("%s/%s/p%02d/%02dh-%020d-%020d%s", n.Topic, n.Hour.Format(dayLayout), n.Partition, n.Hour.Hour(), n.From, n.To, suffix)
}

// parseName reads a key. ok is false where it is not one that Key writes.
func parseName(key string) (n Name, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 || !slices.Contains(kinds(), topics.Topic(parts[0])) {
		return Name{}, false
	}
	day, err := time.Parse(dayLayout, parts[1])
	if err != nil {
		return Name{}, false
	}
	n.Topic = topics.Topic(parts[0])
	if n.Partition, err = strconv.Atoi(strings.TrimPrefix(parts[2], "p")); err != nil {
		return Name{}, false
	}
	fields := strings.Split(strings.TrimSuffix(parts[3], suffix), "-")
	if len(fields) != 3 {
		return Name{}, false
	}
	hour, err := strconv.Atoi(strings.TrimSuffix(fields[0], "h"))
	if err != nil || hour < 0 || hour > 23 {
		return Name{}, false
	}
	n.Hour = day.Add(time.Duration(hour) * time.Hour)
	for i, to := range []*int64{&n.From, &n.To} {
		if *to, err = strconv.ParseInt(fields[1+i], 10, 64); err != nil {
			return Name{}, false
		}
	}
	// What Key would write otherwise is not one of its names.
	return n, n.From >= 0 && n.To > n.From && n.Key() == key
}

// Segment is a file in the bucket.
type Segment struct {
	Name
	Size int64 // bytes
}

// order is that of reading: by topic, partition and offsets.
func order(a, b Segment) int {
	for _, d := range []int64{int64(strings.Compare(string(a.Topic), string(b.Topic))), int64(a.Partition - b.Partition), a.From - b.From, a.To - b.To} {
		if d != 0 {
			return int(max(-1, min(1, d)))
		}
	}
	return a.Hour.Compare(b.Hour)
}

// segments lists those of a topic on the days from since to until, in the order of
// reading; other days are not even listed. foreign gets other objects that are there;
// nil: they are ignored.
func (b *Bucket) segments(ctx context.Context, t topics.Topic, since, until time.Time, foreign func(object)) ([]Segment, error) {
	days, err := b.days(ctx, t, since, until)
	if err != nil {
		return nil, err
	}
	var found []Segment
	for _, day := range days {
		err := b.list(ctx, fmt.Sprintf("%s/%s/", t, day), true, func(o object) error {
			n, ok := parseName(o.key)
			if !ok && foreign != nil {
				foreign(o)
			}
			if ok {
				found = append(found, Segment{n, o.size})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, order)
	return found, nil
}

// byPartition groups segments; their order stays.
func byPartition(segments []Segment) map[int][]Segment {
	parts := map[int][]Segment{}
	for _, s := range segments {
		parts[s.Partition] = append(parts[s.Partition], s)
	}
	return parts
}

// days returns the days of a topic between two times that the bucket may have: all
// of them where they are few, those in a listing of the bucket where they are more.
func (b *Bucket) days(ctx context.Context, t topics.Topic, since, until time.Time) ([]string, error) {
	const few = 3
	first, last := since.UTC().Truncate(24*time.Hour), until.UTC()
	var days []string
	if last.Sub(first) < few*24*time.Hour {
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			days = append(days, day.Format(dayLayout))
		}
		return days, nil
	}
	err := b.list(ctx, string(t)+"/", false, func(o object) error {
		day := strings.TrimSuffix(strings.TrimPrefix(o.key, string(t)+"/"), "/")
		at, err := time.Parse(dayLayout, day)
		if o.folder && err == nil && !at.Before(first) && !at.After(last) {
			days = append(days, day)
		}
		return nil
	})
	return days, err
}
