package calibrate

import (
	"context"
	"errors"
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
	g.Ends, g.Views = o.Words != nil && o.Words.ends && o.Measure == "contrast", true
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
	// reach is whether a view of a clip may rank as high as the worst of the best so far,
	// which takes much less time than score; nil: it is not known. Its logit is as
	// recorded.
	reach   func(view []byte, row *archive.Row, logit, rank float64) bool
	score   func(clip []scoring.View, row *archive.Row) scoring.Seen
	clips   *reading
	cameras map[string]*peaks
	best    best
	scored  int
	other   otherModels
}

func (s *search) partition() *searched {
	return &searched{
		search: s, clips: newReading(s.model()), cameras: map[string]*peaks{}, best: best{limit: s.Limit}, other: otherModels{},
		score: s.scorer(), reach: s.screen(),
	}
}

// scorer compares the views of a clip with the query. The one that ranks highest counts.
func (s *search) scorer() func(clip []scoring.View, row *archive.Row) scoring.Seen {
	if s.Words != nil {
		if s.Measure != "contrast" {
			return func(clip []scoring.View, _ *archive.Row) (seen scoring.Seen) {
				seen.Similarity, seen.View = s.Words.list[0].MostSimilar(clip)
				return seen
			}
		}
		return func(clip []scoring.View, row *archive.Row) scoring.Seen {
			return s.Words.values(0, clip, row.LogitScale)
		}
	}
	length := norm(s.Like)
	return func(clip []scoring.View, _ *archive.Row) (best scoring.Seen) {
		for n, v := range clip {
			if like := float64(scoring.Dot(v.Mean, s.Like)) / (norm(v.Mean) * length); n == 0 || like > best.Similarity {
				best = scoring.Seen{Similarity: like, View: n}
			}
		}
		return best
	}
}

// screen decides whether a view of a clip may reach a rank.
func (s *search) screen() func(view []byte, row *archive.Row, logit, rank float64) bool {
	if s.Words == nil {
		return nil
	}
	screen := scoring.NewScreen(s.Words.list[0].Word)
	switch {
	case screen == nil:
		return nil
	case s.Measure != "contrast":
		return func(view []byte, _ *archive.Row, _, rank float64) bool { return screen.Similarity(view, rank) }
	}
	return func(view []byte, row *archive.Row, logit, rank float64) bool {
		return screen.Contrast(view, s.Words.scale(row.LogitScale), s.Words.model.logit(row, logit), rank)
	}
}

// mayReach is whether any view of a clip may reach a rank.
func (p *searched) mayReach(b archive.Batch, i int, rank float64) bool {
	row := &b.Rows[i]
	if p.reach == nil || p.reach(b.Embeddings[2*b.Dims*i:], row, row.References.Logit, rank) {
		return true
	}
	for _, v := range further(b, i) {
		if p.reach(v.Mean, row, v.Logit, rank) {
			return true
		}
	}
	return false
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
		if full && !p.mayReach(b, i, rank) {
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
	seen := p.score(p.clips.all(b, i), row)
	f.similarity, f.contrast = seen.Similarity, seen.Contrast
	if b.Views != nil && len(b.Views[i]) > 0 {
		f.view, f.box = b.Views[i][seen.View].View, b.Views[i][seen.View].Box
	}
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
	if f.view != "" {
		box := f.box
		h.View, h.Box = f.view, &box
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
