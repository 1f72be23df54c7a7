package archive

import (
	"context"
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
	// Views are by row those of recognitions that name views; only if Range.Views asks for
	// them, and nil where no row has any.
	Views [][]View
}

// View is what belongs to a row of one of its views.
type View struct {
	View topics.View
	Box  topics.Box
	// Zone is the zone that the view was drawn for; nil: it is of the whole picture.
	Zone *topics.ZoneRef
	// Logit is References.Logit of the view. Mean is its embedding, float16, First and Last
	// the means of its first and last frames if Range.Ends asks for them. Those of the first
	// view are the row's own, and absent here.
	Logit             float64
	Mean, First, Last []byte
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
	s := r.newScan(g)
	call := func(b Batch) error {
		if len(b.Rows) == 0 {
			return nil
		}
		return stopped(fn(b))
	}
	s.embedded = true
	s.columns = s.embeddings(call)
	s.records = func(partition int, all []Record[topics.Recognition]) error {
		return call(batchOf(partition, all, g))
	}
	return s.run(ctx)
}

// scan is a pass over columns of segments.
type scan struct {
	*pass[topics.Recognition]
	columns scanSegment
	// records passes on recognitions of one partition that came whole: from Kafka, or
	// from segments whose columns don't have all that is wanted.
	records func(partition int, all []Record[topics.Recognition]) error
	// embedded: only those with embeddings are passed on, those of one length together.
	embedded bool
	tails    map[int][]Record[topics.Recognition] // not passed on yet, by partition
}

// scanSegment passes on an open segment from an offset on, and returns as readSegment
// does. own is the partition's memory.
type scanSegment func(ctx context.Context, f *file, from int64, own *columns) (int64, error)

func (r *Reader) newScan(g Range) *scan {
	s := &scan{tails: map[int][]Record[topics.Recognition]{}}
	s.pass = newPass(r, actionsCodec(), g, s.collect)
	return s
}

func (s *scan) run(ctx context.Context) (Counts, error) {
	free := make(freeColumns, s.Parallel)
	err := s.pass.run(ctx, func(ctx context.Context, partition int, segments []Segment) error {
		own := free.take()
		defer free.put(own)
		err := s.partition(ctx, partition, segments, func(ctx context.Context, seg Segment, from int64) (int64, error) {
			// What came whole is before it.
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

// collect takes a recognition that came whole. One call at a time.
func (s *scan) collect(r Record[topics.Recognition]) error {
	p, dims := r.At.Partition, len(r.Value.Embedding)
	if s.embedded && dims == 0 {
		return nil
	}
	if t := s.tails[p]; len(t) > 0 && (len(t) == tailBatch || s.embedded && len(t[0].Value.Embedding) != dims) {
		if err := s.flush(p); err != nil {
			return err
		}
	}
	s.tails[p] = append(s.tails[p], r)
	return nil
}

// flush passes on what was collected of a partition.
func (s *scan) flush(partition int) error {
	all := s.tails[partition]
	s.tails[partition] = all[:0]
	if len(all) == 0 {
		return nil
	}
	return s.records(partition, all)
}

// batchOf makes a batch of recognitions whose embeddings have one length.
func batchOf(partition int, all []Record[topics.Recognition], g Range) Batch {
	b := Batch{Partition: partition}
	for i, r := range all {
		b.Dims = len(r.Value.Embedding)
		b.Embeddings = topics.AppendFloat16(b.Embeddings, r.Value.Embedding)
		if g.Ends {
			b.First, b.Last = appendEnd(b.First, r.Value.First, b.Dims), appendEnd(b.Last, r.Value.Last, b.Dims)
		}
		b.Rows = append(b.Rows, rowOf(r))
		if g.Views && len(r.Value.Views) > 0 {
			if b.Views == nil {
				b.Views = make([][]View, len(all))
			}
			b.Views[i] = viewsOf(&r.Value, b.Dims, g.Ends)
		}
	}
	return b
}

// viewsOf are the views of a recognition but those that have no embedding of the length.
func viewsOf(a *topics.Recognition, dims int, ends bool) (out []View) {
	for i, v := range a.Views {
		own := View{View: v.View, Box: v.Box, Zone: v.Zone, Logit: v.Logit}
		switch {
		case i == 0:
		case len(v.Embedding) != dims:
			continue
		default:
			own.Mean = topics.AppendFloat16(nil, v.Embedding)
			if ends {
				own.First, own.Last = appendEnd(nil, v.First, dims), appendEnd(nil, v.Last, dims)
			}
		}
		out = append(out, own)
	}
	return out
}

// appendEnd appends a mean of frames; zeros where it has another length.
func appendEnd(to []byte, mean []float32, dims int) []byte {
	if len(mean) != dims {
		return append(to, make([]byte, 2*dims)...)
	}
	return topics.AppendFloat16(to, mean)
}

// segment passes one segment's rows on.
func (s *scan) segment(ctx context.Context, seg Segment, from int64, own *columns) (int64, error) {
	own.memory.used = 0
	f, err := s.Bucket.openIn(ctx, seg, &own.memory)
	if err != nil {
		return s.broken(ctx, from, err)
	}
	if !s.asked.meets(f.Meta) {
		return s.read(ctx, f, seg.To, nil)
	}
	if f.Odd > 0 || s.asked.Views && s.embedded && f.hidesViews() {
		// Embeddings of two lengths, or views without columns: rows are read as whole records.
		return s.whole(ctx, f, from)
	}
	return s.columns(ctx, f, from, own)
}

// embeddings passes on a segment's embeddings.
func (s *scan) embeddings(call func(Batch) error) scanSegment {
	return func(ctx context.Context, f *file, from int64, own *columns) (int64, error) {
		if err := own.read(ctx, f, wants{vectors: true, ends: s.asked.Ends, views: s.asked.Views && f.Viewed > 0}); err != nil {
			return s.read(ctx, f, from, err)
		}
		given := 0
		if err := own.batches(s.asked, from, func(b Batch) error {
			b.Partition = f.Partition
			given += len(b.Rows)
			return call(b)
		}); err != nil {
			return from, err
		}
		if err := s.looked(ctx, int(f.Rows), given); err != nil {
			return from, err
		}
		return s.read(ctx, f, f.Name.To, nil)
	}
}

// looked counts records of a segment.
func (s *scan) looked(ctx context.Context, records, given int) error {
	return s.locked(ctx, func() error {
		s.counts.Records += records
		s.counts.Given += given
		return nil
	})
}
