package archive

import (
	"context"
	"errors"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Batch is some recognitions of one partition, without labels and other fields that
// a scan does not need. Their embeddings follow each other as they do in the file.
type Batch struct {
	Partition int
	Dims      int
	// Embeddings are float16, little endian: row i has the bytes from 2·Dims·i on.
	Embeddings []byte
	// First and Last are, in the same way, the means of the first and last three frames'
	// embeddings, of zeros where a record has none; only if Range.Ends asks for them.
	First, Last []byte
	Rows        []Row
}

// Row is what belongs to one embedding.
type Row struct {
	Camera     string
	Epoch      time.Time // of the stream; zero: the record has none
	Sequence   uint64
	Start, End time.Time // of the window
	Model      string
	LogitScale float64           // 0: of a record of an older version
	References topics.References // without a hash: of a record without them
	Offset     int64             // on the topic of actions
	Time       time.Time         // that Kafka gave the record
}

// ClipID is the id of the clip.
func (r Row) ClipID() string { return topics.ClipID(r.Camera, r.Epoch, r.Start.Sub(r.Epoch)) }

func rowOf(r Record[topics.Recognition]) Row {
	a := r.Value
	row := Row{
		Camera: a.Camera, Epoch: a.Epoch, Sequence: a.Sequence, Start: a.Start, End: a.End,
		Model: a.Model, LogitScale: a.LogitScale, Offset: r.At.Offset, Time: r.Time,
	}
	if a.References != nil {
		row.References = *a.References
	}
	return row
}

// tailBatch is how many recognitions from Kafka make a batch.
const tailBatch = 512

// Scan calls fn for the recognitions of a range that have embeddings, up to some
// thousand at a time, at the speed of the disk: labels are neither fetched nor
// decoded. Up to Parallel calls run at once, each of another partition; those of
// one partition come in their order, and a batch is valid during its call. fn may
// return ErrStop.
func (r *Reader) Scan(ctx context.Context, g Range, fn func(Batch) error) (Counts, error) {
	s := &scan{fn: fn, tails: map[int][]Record[topics.Recognition]{}}
	s.pass = newPass(r, actionsCodec(), g, s.collect)
	free := make(freeColumns, r.Parallel)
	err := s.run(ctx, func(ctx context.Context, partition int, segments []Segment) error {
		own := free.take()
		defer free.put(own)
		err := s.partition(ctx, partition, segments, func(ctx context.Context, seg Segment, from int64) (int64, error) {
			// What came from Kafka is before it.
			if err := s.locked(ctx, func() error { return s.flush(partition) }); err != nil {
				return from, err
			}
			return s.segment(ctx, seg, from, own)
		})
		if err != nil {
			return err
		}
		return s.locked(ctx, func() error { return s.flush(partition) })
	})
	return s.counts, err
}

type scan struct {
	*pass[topics.Recognition]
	fn    func(Batch) error
	tails map[int][]Record[topics.Recognition] // from Kafka, not passed on yet, by partition
}

// call passes a batch to the caller.
func (s *scan) call(b Batch) error {
	if len(b.Rows) == 0 {
		return nil
	}
	if err := s.fn(b); !errors.Is(err, ErrStop) {
		return err
	}
	return errStopped
}

// collect takes a record from Kafka. One call at a time.
func (s *scan) collect(r Record[topics.Recognition]) error {
	p := r.At.Partition
	if len(r.Value.Embedding) == 0 {
		return nil
	}
	if t := s.tails[p]; len(t) > 0 && (len(t) == tailBatch || len(t[0].Value.Embedding) != len(r.Value.Embedding)) {
		if err := s.flush(p); err != nil {
			return err
		}
	}
	s.tails[p] = append(s.tails[p], r)
	return nil
}

// flush passes on what was collected of a partition.
func (s *scan) flush(partition int) error {
	b := Batch{Partition: partition}
	for _, r := range s.tails[partition] {
		b.Dims = len(r.Value.Embedding)
		b.Embeddings = topics.AppendFloat16(b.Embeddings, r.Value.Embedding)
		if s.asked.Ends {
			b.First, b.Last = appendEnd(b.First, r.Value.First, b.Dims), appendEnd(b.Last, r.Value.Last, b.Dims)
		}
		b.Rows = append(b.Rows, rowOf(r))
	}
	s.tails[partition] = s.tails[partition][:0]
	return s.call(b)
}

// appendEnd appends a mean of frames; zeros where it has another length.
func appendEnd(to []byte, mean []float32, dims int) []byte {
	if len(mean) != dims {
		return append(to, make([]byte, 2*dims)...)
	}
	return topics.AppendFloat16(to, mean)
}

// segment passes one segment's rows on as a batch.
func (s *scan) segment(ctx context.Context, seg Segment, from int64, own *columns) (int64, error) {
	own.memory.used = 0
	f, err := s.Bucket.openIn(ctx, seg, &own.memory)
	if err != nil {
		return s.broken(ctx, from, err)
	}
	if !s.asked.meets(f.Meta) {
		return s.read(ctx, f, seg.To, nil)
	}
	if f.Odd > 0 {
		// It has embeddings of two lengths: its rows are read as whole records.
		return s.whole(ctx, f, from)
	}
	if err := own.read(ctx, f, s.asked.Ends); err != nil {
		return s.read(ctx, f, from, err)
	}
	given := 0
	if err := own.batches(s.asked, from, func(b Batch) error {
		b.Partition = seg.Partition
		given += len(b.Rows)
		return s.call(b)
	}); err != nil {
		return from, err
	}
	if err := s.locked(ctx, func() error {
		s.counts.Records += int(f.Rows)
		s.counts.Given += given
		return nil
	}); err != nil {
		return from, err
	}
	return s.read(ctx, f, seg.To, nil)
}
