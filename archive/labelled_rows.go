package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// labelledBatch is how many records make a batch: few enough for the processor's
	// caches.
	labelledBatch = 64
	// maxHeads bounds the cameras of which the head is kept from segment to segment.
	maxHeads = 4096
)

// labelledRows passes on a segment's rows as records.
type labelledRows struct {
	*columns
	scan       *scan
	file       *file
	give       func(Labelled) error
	done       int64 // the offset after the last that was dealt with
	given      int
	unreadable int
	learned    int // of the rows that add to the dictionary
}

func (b *labelledRows) run(ctx context.Context) error {
	n := int(b.file.Rows)
	for begin := 0; begin < n && ctx.Err() == nil; begin += labelledBatch {
		if err := b.batch(ctx, begin, min(begin+labelledBatch, n)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// batch passes on the rows of the range from one to before another.
func (b *labelledRows) batch(ctx context.Context, begin, end int) error {
	l := &b.labels
	l.records, l.rows, l.scores, l.references, l.seen = l.records[:0], l.rows[:0], l.scores[:0], l.references[:0], l.seen[:0]
	next := b.done
	for row := begin; row < end; row++ {
		b.learn(row)
		offset, at := b.offsets[row], time.Unix(0, b.ends[row]).UTC()
		if offset >= b.file.Name.To {
			return fmt.Errorf("read %s: %w: it has a row of offset %d", b.file.Key(), errBroken, offset)
		}
		if offset < next {
			continue
		}
		next = offset + 1
		if !b.scan.asked.time(at) || !b.wanted(b.scan.asked, b.cameras[row]) {
			continue
		}
		if err := b.add(row, at); err != nil {
			b.unreadable++
			if err := b.scan.unreadable(ctx, b.file.Partition, offset, err); err != nil {
				return err
			}
		}
	}
	if len(l.records) > 0 {
		batch := Labelled{Partition: b.file.Partition, Records: l.records}
		batch.embed = func(records []Record[topics.Recognition]) error {
			return b.embed(ctx, b.file, b.scan.asked.Ends, l.rows, records)
		}
		if err := stopped(b.give(batch)); err != nil {
			return err
		}
	}
	b.done, b.given = next, b.given+len(l.records)
	return nil
}

// learn adds what a row has to the dictionary.
func (b *labelledRows) learn(row int) {
	l := &b.labels
	for ; b.learned < len(l.fresh) && l.fresh[b.learned].row <= row; b.learned++ {
		l.dictionary.learn(l.fresh[b.learned].raw)
	}
}

// add adds a row to the batch.
func (b *labelledRows) add(row int, end time.Time) (err error) {
	l := &b.labels
	h := b.head(row)
	if h.wrong != nil {
		return h.wrong
	}
	first := len(l.scores)
	values := l.values[:l.ends[row]]
	if row > 0 {
		values = values[l.ends[row-1]:]
	}
	if l.scores, err = l.dictionary.append(l.scores, values); err != nil {
		l.scores = l.scores[:first]
		return err
	}
	l.records = slices.Grow(l.records, 1)[:len(l.records)+1] // in place: recognitions are large
	r := &l.records[len(l.records)-1]
	r.Value, r.Time = h.Recognition, time.Unix(0, b.times[row]).UTC()
	r.At = topics.RecordRef{Topic: b.scan.name, Partition: b.file.Partition, Offset: b.offsets[row]}
	a := &r.Value
	a.ClipID, a.Sequence, a.Start, a.End = l.clips[row], uint64(b.sequences[row]), time.Unix(0, b.starts[row]).UTC(), end
	if !b.noEpoch[row] {
		a.Epoch = time.Unix(0, b.epochs[row]).UTC()
	}
	a.Labels, a.LogitScale = l.scores[first:len(l.scores):len(l.scores)], b.scales[row]
	if h.hash != "" {
		l.references = append(l.references, topics.References{Hash: h.hash, Logit: b.logits[row]})
		a.References = &l.references[len(l.references)-1]
	}
	if b.views.read {
		err = b.views.see(a, row, &l.seen)
	}
	if err == nil {
		err = a.ValidateClip()
	}
	if err != nil {
		l.records, l.scores = l.records[:len(l.records)-1], l.scores[:first]
		return err
	}
	l.rows = append(l.rows, row)
	return nil
}

// head is what a camera's clips have in common, checked once.
type head struct {
	topics.Recognition
	tags, hash string // as they are in the segment
	wrong      error
}

func (b *labelledRows) head(row int) *head {
	l, camera, hash := &b.labels, b.cameras[row], ""
	if len(b.hashes) > 0 {
		hash = b.hashes[row]
	}
	h := l.heads[camera]
	if h != nil && h.tags == l.tags[row] && h.hash == hash && h.Model == b.models[row] &&
		h.Vocab.Name == l.vocabularies[row] && h.Vocab.Version == l.versions[row] {
		return h
	}
	h = &head{tags: l.tags[row], hash: hash}
	h.Camera, h.Model, h.Vocab = camera, b.models[row], topics.VocabRef{Name: l.vocabularies[row], Version: l.versions[row]}
	if h.tags != "" {
		if err := json.Unmarshal([]byte(h.tags), &h.Tags); err != nil {
			h.wrong = fmt.Errorf("column camera_tags: %w", err)
		}
	}
	if h.wrong == nil {
		whole := h.Recognition
		if hash != "" {
			whole.References = &topics.References{Hash: hash}
		}
		h.wrong = whole.ValidateCamera()
	}
	l.heads[camera] = h
	return h
}
