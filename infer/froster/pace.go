package froster

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// textLoss is what texts may take of a processor while clip runs never stop.
	// Clips lose about twice that: a batch waits for the last of its runs.
	textLoss = 0.06
	// gpuShare is the share of the time that text runs may take of a GPU.
	gpuShare = 0.12
	// loadMemory is how long ago a clip run counts for the load, roughly.
	loadMemory = 2 * time.Second
	// maxRest bounds the wait for one label, however slow the machine is.
	maxRest = 4 * time.Second
	// quiet is the load below which texts are embedded as if alone.
	quiet = 0.05
)

// pace keeps text runs from slowing clip runs, which compete for the same
// processor: text runs come one at a time, and each is followed by a rest in
// proportion to how long it took and how busy clips are. A run after a longer
// pause begins at once, so that a single label is never held up. One pace is
// for all models of a process.
type pace struct {
	now   func() time.Time
	share float64 // of the time for text runs, while clip runs never stop
	// turn holds the right to run texts, and the time from which it may be used.
	turn chan time.Time

	mu      sync.Mutex
	running int       // clip runs under way
	load    float64   // share of the recent time with a clip run under way, at seen
	seen    time.Time // when load was worked out
}

func newPace(now func() time.Time, share float64) *pace {
	p := &pace{now: now, share: share, turn: make(chan time.Time, 1), seen: now()}
	p.turn <- p.seen
	return p
}

// textShare is the share of the time that takes textLoss: among busy clips a text
// run has one thread beside theirs.
func textShare(o RuntimeOptions) float64 {
	if o.Provider != "" && o.Provider != "cpu" {
		return gpuShare
	}
	return min(textLoss*float64(o.Threads+1), 1)
}

// clips counts a clip run until ended is called.
func (p *pace) clips() (ended func()) {
	count := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.settle()
		p.running += n
	}
	count(1)
	return func() { count(-1) }
}

// settle brings the load up to now. Old times are forgotten exponentially.
func (p *pace) settle() {
	now, running := p.now(), 0.0
	if p.running > 0 {
		running = 1
	}
	p.load = running + (p.load-running)*math.Exp(-float64(now.Sub(p.seen))/float64(loadMemory))
	p.seen = now
}

func (p *pace) loadNow() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	return p.load
}

// texts waits until a text run may begin and says whether clips are busy, when
// it is to be a small one. Unless ctx ended, ended is to be called after it.
func (p *pace) texts(ctx context.Context) (busy bool, ended func(), err error) {
	var from time.Time
	select {
	case from = <-p.turn:
	case <-ctx.Done():
		return false, nil, ctx.Err()
	}
	wait := time.NewTimer(from.Sub(p.now()))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		p.turn <- from
		return false, nil, err
	}
	begun := p.now()
	return p.loadNow() > quiet, func() {
		end := p.now()
		p.turn <- end.Add(p.rest(end.Sub(begun)))
	}, nil
}

// rest is how long texts pause after a run.
func (p *pace) rest(took time.Duration) time.Duration {
	load := p.loadNow()
	if load <= quiet {
		return 0
	}
	return min(time.Duration(float64(took)*load*(1/p.share-1)), maxRest)
}
