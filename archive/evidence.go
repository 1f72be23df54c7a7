package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// ErrGone is of a record that Kafka no longer keeps.
var ErrGone = errors.New("no longer kept by Kafka")

// Clip is the clip at a position on the topic of clips or of evidence. The error
// is ErrGone where Kafka no longer keeps it.
func (r *Reader) Clip(ctx context.Context, at topics.RecordRef) (topics.Clip, error) {
	_, c, err := r.clip(ctx, at)
	return c, err
}

// clip also gives the key of the clip's record.
func (r *Reader) clip(ctx context.Context, at topics.RecordRef) (key string, c topics.Clip, err error) {
	if at.Topic != r.Names.Of(topics.Clips) && at.Topic != r.Names.Of(topics.Evidence) {
		return "", c, fmt.Errorf("read clip: %.80q is no topic of clips", at.Topic)
	}
	m, err := r.fetch(ctx, at)
	if err != nil {
		return "", c, fmt.Errorf("read clip: %w", err)
	}
	c, err = topics.DecodeClip(m.Value)
	return string(m.Key), c, err
}

// Recognition is the one at a position on the topic of actions. The error is ErrGone where
// Kafka no longer keeps it.
func (r *Reader) Recognition(ctx context.Context, partition int, offset int64) (topics.Recognition, error) {
	m, err := r.fetch(ctx, topics.RecordRef{Topic: r.Names.Of(topics.Actions), Partition: partition, Offset: offset})
	if err != nil {
		return topics.Recognition{}, fmt.Errorf("read recognition: %w", err)
	}
	return topics.DecodeRecognition(m.Value)
}

// fetch reads one record.
func (r *Reader) fetch(ctx context.Context, at topics.RecordRef) (m bus.Message, err error) {
	if r.Log == nil {
		return m, errors.New("no Kafka is given")
	}
	// Anybody may have written the position. Of a partition that there is not, Bounds would
	// wait for one to be made.
	if n, err := r.Log.Partitions(ctx, at.Topic); err == nil && (at.Partition < 0 || at.Partition >= n) {
		return m, fmt.Errorf("%s has no partition %d", at.Topic, at.Partition)
	}
	first, next, err := r.Log.Bounds(ctx, at.Topic, at.Partition)
	if err != nil {
		return m, err
	}
	if at.Offset < first || at.Offset >= next {
		return m, fmt.Errorf("offset %d of %s/%d is %w, which has those from %d to before %d", at.Offset, at.Topic, at.Partition, ErrGone, first, next)
	}
	return r.Log.FetchOne(ctx, at.Topic, at.Partition, at.Offset)
}

// Evidence is the clip that raised an alert. The error is ErrGone where Kafka no
// longer keeps it.
func (r *Reader) Evidence(ctx context.Context, a topics.Alert) (topics.Clip, error) {
	if a.Evidence == nil {
		return topics.Clip{}, fmt.Errorf("alert %.120q has no evidence", a.ID)
	}
	key, c, err := r.clip(ctx, *a.Evidence)
	// Positions begin anew where a topic was deleted and made again.
	if err == nil && (c.Camera != a.Camera || a.Evidence.Topic == r.Names.Of(topics.Evidence) && key != a.ID) {
		err = fmt.Errorf("the record at %d of %s/%d is the clip of another alert", a.Evidence.Offset, a.Evidence.Topic, a.Evidence.Partition)
	}
	return c, err
}
