package timeline

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive"
)

const (
	// Longest is the longest time that is shown at once.
	Longest = 28 * 24 * time.Hour
	// MaxSteps bounds the steps of an answer.
	MaxSteps = 600

	day = 24 * time.Hour
	// coarse is the step of days that are kept.
	coarse = 5 * time.Minute
	// lateOfDay is how long after its window's end a recognition may be recorded that is
	// looked for in a day; a day that is over for longer does not change any more.
	lateOfDay = time.Hour
	settled   = lateOfDay + 10*time.Minute
	// fresh is how long a day is good for that is not over.
	fresh = 20 * time.Second
	// keptBytes bounds the days that are kept.
	keptBytes = 64 << 20
	// atOnce bounds what is read at a time; each takes up to some 100 MB.
	atOnce = 2
	// patience is after how long no other day is read for one answer.
	patience = 3 * time.Second
	// shortHole: of holes that are no gap at the length of a step nothing is kept.
	shortHole, shortHoleOfDay = time.Second, 20 * time.Second
)

// steps are the lengths that steps have. From coarse on they are made of kept days.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute,
	coarse, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
}

// StepOf is the shortest step with which a length of time has at most so many.
func StepOf(length time.Duration, most int) time.Duration {
	for _, s := range steps {
		if length <= s*time.Duration(most-1) { // it may begin within a step
			return s
		}
	}
	return steps[len(steps)-1]
}

// Past is what was recognised.
type Past interface {
	Labels(ctx context.Context, g archive.Range, fn func(archive.Labelled) error) (archive.Counts, error)
}

// Reader reads heights, and keeps those of days. Safe for concurrent use.
type Reader struct {
	past Past
	turn chan struct{}

	mu    sync.Mutex
	kept  map[dayKey]*list.Element // of order
	order *list.List               // of *oneDay, the least recently used first
	bytes int
}

type dayKey struct {
	camera string
	begin  int64 // Unix seconds
}

type oneDay struct {
	dayKey
	rules uint64 // the version of the rules that chose what is measured
	read  time.Time
	*Heights
}

// NewReader makes one.
func NewReader(past Past) *Reader {
	return &Reader{past: past, turn: make(chan struct{}, atOnce), kept: map[dayKey]*list.Element{}, order: list.New()}
}

// Asked is what is asked for.
type Asked struct {
	Camera   string
	From, To time.Time
	Steps    int    // at most
	OnKafka  []int  // as archive.Range has it
	Rules    uint64 // changes whenever Watch may answer otherwise
	Watch    watching
}

// Answer is what was found. Before Unread nothing was looked at yet; zero: all was.
type Answer struct {
	*Heights
	Unread time.Time
}

// Read reads what is asked for: the newest first, as much as it takes some seconds. A
// repeated call goes on from there.
func (r *Reader) Read(ctx context.Context, a Asked) (Answer, error) {
	step := StepOf(a.To.Sub(a.From), a.Steps)
	begin := a.From.Truncate(step)
	n := int((a.To.Sub(begin) + step - 1) / step)
	if step < coarse {
		h, err := r.read(ctx, a, newReading(begin, step, n, shortHole, a.Watch), 0)
		return Answer{Heights: h}, err
	}
	out := newReading(begin, step, n, shortHoleOfDay, a.Watch).done()
	until := a.To
	if now := time.Now(); until.After(now) {
		until = now
	}
	begun := time.Now()
	for d := until.Add(-1).UTC().Truncate(day); d.Add(day).After(begin); d = d.Add(-day) {
		if time.Since(begun) > patience {
			return Answer{out, d.Add(day)}, nil
		}
		h, err := r.day(ctx, a, d)
		if err != nil {
			return Answer{}, err
		}
		out.merge(h)
	}
	return Answer{Heights: out}, nil
}

// day is one of the heights that are kept.
func (r *Reader) day(ctx context.Context, a Asked, begin time.Time) (*Heights, error) {
	k := dayKey{a.Camera, begin.Unix()}
	if h := r.known(k, a.Rules); h != nil {
		return h, nil
	}
	read := time.Now()
	h, err := r.read(ctx, a, newReading(begin, coarse, int(day/coarse), shortHoleOfDay, a.Watch), lateOfDay)
	if err == nil {
		r.keep(&oneDay{k, a.Rules, read, h})
	}
	return h, err
}

func (r *Reader) known(k dayKey, rules uint64) *Heights {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.kept[k]
	if e == nil {
		return nil
	}
	one := e.Value.(*oneDay)
	over := one.read.After(time.Unix(k.begin, 0).Add(day + settled))
	if one.rules != rules || !over && time.Since(one.read) > fresh {
		return nil
	}
	r.order.MoveToBack(e)
	return one.Heights
}

func (r *Reader) keep(one *oneDay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.kept[one.dayKey]; e != nil {
		r.drop(e)
	}
	r.kept[one.dayKey] = r.order.PushBack(one)
	r.bytes += one.size()
	for r.bytes > keptBytes && r.order.Len() > 1 {
		r.drop(r.order.Front())
	}
}

// drop forgets a day. It needs the lock.
func (r *Reader) drop(e *list.Element) {
	one := r.order.Remove(e).(*oneDay)
	delete(r.kept, one.dayKey)
	r.bytes -= one.size()
}

// read fills a reading from the archive and Kafka.
func (r *Reader) read(ctx context.Context, a Asked, in *reading, late time.Duration) (*Heights, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for others' timelines: %w", ctx.Err())
	}
	h := in.out
	g := archive.Range{Since: h.Begin, Until: h.Begin.Add(h.Step * time.Duration(len(h.Clips))), Cameras: []string{a.Camera}, Late: late, OnKafka: a.OnKafka}
	if _, err := r.past.Labels(ctx, g, in.add); err != nil {
		return nil, fmt.Errorf("read what was recognised on %s: %w", a.Camera, err)
	}
	return in.done(), nil
}
