package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// Apart is how far apart the clips of one camera begin that a search lists: of those
// closer to each other, which share frames or show the same, it lists the best.
const Apart = 30 * time.Second

// Query is what is searched for: the first word of Words, or clips that are like one.
type Query struct {
	Words *Words
	Like  []float32 // a clip's embedding, of Model
	Model Model     // of Like
}

func (q Query) model() Model {
	if q.Words != nil {
		return q.Words.model
	}
	return q.Model
}

// SearchOptions say where to search. Past and a query are required.
type SearchOptions struct {
	Query
	Past    Past
	Range   archive.Range
	Limit   int           // how many hits at most; 0: 20
	Apart   time.Duration // 0: Apart
	Measure string        // "contrast" or "similarity", by which hits are ranked; a clip's likeness is a similarity
}

// Searched is the result of a search.
type Searched struct {
	Hits   []Hit `json:"hits"`   // the best first
	Scored int   `json:"scored"` // recordings that were compared
	// Other counts recordings by models other than the one the query is for: they
	// can't be compared.
	Other  map[string]int `json:"other_models,omitempty"`
	Counts archive.Counts `json:"-"`
}

// Search compares every recording of a range with a query. Its memory does not grow
// with the range.
func Search(ctx context.Context, o SearchOptions) (*Searched, error) {
	if o.Limit == 0 {
		o.Limit = 20
	}
	if o.Apart == 0 {
		o.Apart = Apart
	}
	s := &search{SearchOptions: o}
	s.partitions.fresh = s.partition
	g := o.Range
	g.Ends = o.Words != nil && o.Words.ends && o.Measure == "contrast"
	counts, err := o.Past.Scan(ctx, g, func(b archive.Batch) error { return s.partitions.of(b.Partition).batch(b) })
	if err != nil {
		return nil, err
	}
	return s.result(counts), nil
}

type search struct {
	SearchOptions
	partitions partitions[searched]
}

// searched is what was found in one partition.
type searched struct {
	*search
	// reach is whether a clip may rank as high as the worst of the best so far, which
	// takes much less time than score; nil: it is not known.
	reach   func(clip []byte, row *archive.Row, rank float64) bool
	score   func(clip scoring.Clip, row *archive.Row) (similarity, contrast float64)
	clips   *reading
	cameras map[string]*peaks
	best    best
	scored  int
	other   otherModels
}

func (s *search) partition() *searched {
	return &searched{
		search: s, clips: newReading(s.model().Dims), cameras: map[string]*peaks{}, best: best{limit: s.Limit}, other: otherModels{},
		score: s.scorer(), reach: s.screen(),
	}
}

// scorer compares a clip with the query.
func (s *search) scorer() func(clip scoring.Clip, row *archive.Row) (similarity, contrast float64) {
	if s.Words != nil {
		if s.Measure != "contrast" {
			return func(clip scoring.Clip, _ *archive.Row) (float64, float64) {
				return s.Words.list[0].Similarity(clip.Mean), 0
			}
		}
		return func(clip scoring.Clip, row *archive.Row) (float64, float64) {
			return s.Words.values(0, clip, row.LogitScale, &row.References)
		}
	}
	length := norm(s.Like)
	return func(clip scoring.Clip, _ *archive.Row) (float64, float64) {
		return float64(scoring.Dot(clip.Mean, s.Like)) / (norm(clip.Mean) * length), 0
	}
}

// screen decides whether a clip may reach a rank.
func (s *search) screen() func(clip []byte, row *archive.Row, rank float64) bool {
	if s.Words == nil {
		return nil
	}
	screen := scoring.NewScreen(s.Words.list[0].Word)
	switch {
	case screen == nil:
		return nil
	case s.Measure != "contrast":
		return func(clip []byte, _ *archive.Row, rank float64) bool { return screen.Similarity(clip, rank) }
	}
	return func(clip []byte, row *archive.Row, rank float64) bool {
		scale, logit := s.Words.recorded(row.LogitScale, &row.References)
		return screen.Contrast(clip, scale, logit, rank)
	}
}

func (p *searched) batch(b archive.Batch) error {
	want := p.model()
	for i := range b.Rows {
		row := &b.Rows[i]
		if !want.made(b, row) {
			p.other.note(row)
			continue
		}
		p.scored++
		rank, full := p.best.least()
		var err error
		if full && p.reach != nil && !p.reach(b.Embeddings[2*b.Dims*i:], row, rank) {
			err = p.skip(row)
		} else {
			err = p.compare(b, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// compare takes one recording.
func (p *searched) compare(b archive.Batch, i int) error {
	row := &b.Rows[i]
	f := found{camera: row.Camera, epoch: row.Epoch, start: row.Start, end: row.End, offset: row.Offset, partition: b.Partition}
	f.similarity, f.contrast = p.score(p.clips.of(b, i), row)
	f.rank = f.similarity
	if p.Measure == "contrast" && p.Words != nil {
		f.rank = f.contrast
	}
	if math.IsNaN(f.rank) {
		return nil
	}
	c, err := p.camera(row.Camera)
	if err == nil {
		c.add(&f, p.peak)
	}
	return err
}

// skip takes one that ranks below the best so far.
func (p *searched) skip(row *archive.Row) error {
	c, err := p.camera(row.Camera)
	if err == nil {
		c.skip(row.Start, p.peak)
	}
	return err
}

func (p *searched) camera(name string) (*peaks, error) {
	c := p.cameras[name]
	if c == nil {
		if len(p.cameras) >= maxCameras {
			return nil, errors.New("there are too many cameras: name some")
		}
		c = &peaks{apart: p.Apart}
		p.cameras[name] = c
	}
	return c, nil
}

func (p *searched) peak(f *found) {
	if !p.best.wants(f.rank) {
		return
	}
	h := Hit{
		Camera: f.camera, Start: f.start, End: f.end, Clip: topics.ClipID(f.camera, f.epoch, f.start.Sub(f.epoch)),
		Similarity: f.similarity, Partition: f.partition, Offset: f.offset, rank: f.rank,
	}
	if p.Measure == "contrast" && p.Words != nil {
		contrast := f.contrast
		h.Contrast = &contrast
	}
	p.best.offer(h)
}

func (s *search) result(counts archive.Counts) *Searched {
	out, other := &Searched{Counts: counts}, otherModels{}
	all := best{limit: s.Limit}
	for _, p := range s.partitions.all {
		for _, c := range p.cameras {
			c.flush(p.peak)
		}
		for _, h := range p.best.hits {
			all.offer(h)
		}
		out.Scored += p.scored
		other.add(p.other)
	}
	out.Hits, out.Other = all.sorted(), other
	return out
}

func norm(v []float32) float64 { return max(math.Sqrt(float64(scoring.Dot(v, v))), 1e-12) }

// Clip finds the recording of a clip.
func Clip(ctx context.Context, past Past, id string) (topics.Recognition, error) {
	g, err := rangeOf(id)
	if err != nil {
		return topics.Recognition{}, err
	}
	var rec topics.Recognition
	_, err = past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if r.Value.ClipID != id {
			return nil
		}
		rec = r.Value
		return archive.ErrStop
	})
	switch {
	case err != nil:
		return rec, err
	case rec.ClipID == "":
		return rec, fmt.Errorf("no recording of clip %.120q is kept", topics.Clean(id))
	case len(rec.Embedding) == 0:
		return rec, fmt.Errorf("the recording of clip %.120q has no embedding", topics.Clean(id))
	}
	return rec, nil
}
