package archive

import (
	"context"
	"errors"

	"github.com/frostwatch/frostwatch/topics"
)

// Labelled is some recognitions of one partition, in their order, as rules read them:
// what a segment has of them beside is left out (the position of the clip, timings, the
// score of background, what was quiet), and their embeddings, also those of views, are
// there only after Embed.
type Labelled struct {
	Partition int
	Records   []Record[topics.Recognition]
	embed     func([]Record[topics.Recognition]) error // nil: they have them
}

// Embed gives the records their embeddings, those of first and last frames only if
// Range.Ends asks for them. Return its error from the call: what can't be read is looked
// for on Kafka.
func (l Labelled) Embed() error {
	if l.embed == nil {
		return nil
	}
	return l.embed(l.Records)
}

// Labels calls fn for the recognitions of a range as rules read them, some at a time,
// which takes a small part of the time of Actions: no JSON is decoded. Segments of older
// versions are read as Actions reads them. Up to Parallel calls run at once, each of
// another partition; those of one partition come in their order, and records, their
// labels and embeddings are valid during the call. fn may return ErrStop.
func (r *Reader) Labels(ctx context.Context, g Range, fn func(Labelled) error) (Counts, error) {
	s := r.newScan(g)
	s.columns = s.labels(fn)
	s.records = func(partition int, all []Record[topics.Recognition]) error {
		return stopped(fn(Labelled{Partition: partition, Records: all}))
	}
	return s.run(ctx)
}

// stopped is what this package returns for what the caller's function returned.
func stopped(err error) error {
	if errors.Is(err, ErrStop) {
		return errStopped
	}
	return err
}

// labels passes on a segment's records.
func (s *scan) labels(fn func(Labelled) error) scanSegment {
	return func(ctx context.Context, f *file, from int64, own *columns) (done int64, err error) {
		if _, there := f.file.Schema().Lookup(valuesColumn); !there {
			return s.whole(ctx, f, from)
		}
		if err := own.read(ctx, f, wants{labels: true, views: f.Viewed > 0}); err != nil {
			return s.read(ctx, f, from, err)
		}
		if own.labels.incomplete {
			return s.whole(ctx, f, from)
		}
		b := labelledRows{columns: own, scan: s, file: f, done: from, give: fn}
		if err := b.run(ctx); err != nil {
			return s.read(ctx, f, b.done, err)
		}
		if err := s.looked(ctx, int(f.Rows)-b.unreadable, b.given); err != nil {
			return from, err
		}
		return s.read(ctx, f, f.Name.To, nil)
	}
}
