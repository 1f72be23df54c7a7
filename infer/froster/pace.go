package froster

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// textLoss is the share of a processor that texts may take while clips
	// never pause. Clips lose about twice that share, because a batch waits for
	// the last of its runs.
	textLoss = 0.06
	// gpuShare is the share of a GPU's time that text runs may take.
	gpuShare = 0.12
	// loadMemory is roughly how long a clip run counts towards the load.
	loadMemory = 2 * time.Second
	// maxRest bounds the rest after one run of a few labels, however slow the
	// machine is.
	maxRest = 4 * time.Second
	// quiet is the load below which texts are embedded as if there were no
	// clips.
	quiet = 0.05
)

// pace keeps text runs from slowing clip runs, which compete for the same
// processor. Text runs come one at a time, and each is followed by a rest that
// grows with how long it took and how busy clips are. A run that comes after a
// longer pause begins at once, so that a single label is never held up. All
// models of a process share one pace.
type pace struct {
	now   func() time.Time
	share float64 // of the time for text runs, while clip runs never stop
	// turn holds a token, the right to run texts; its value is the time from
	// which it may be used.
	turn chan time.Time

	mu      sync.Mutex
	running int       // clip runs under way
	load    float64   // share of the time before seen during which a clip run was under way
	seen    time.Time // when load was worked out
}

func newPace(now func() time.Time, share float64) *pace {
	p := &pace{now: now, share: share, turn: make(chan time.Time, 1), seen: now()}
	p.turn <- p.seen
	return p
}

// textShare is the share of time for text runs that costs textLoss: while clips
// are busy a text run has one thread next to theirs.
func textShare(o RuntimeOptions) float64 {
	if o.Provider != "" && o.Provider != "cpu" {
		return gpuShare
	}
	return min(textLoss*float64(o.Threads+1), 1)
}

// clips notes that a clip run is under way, until ended is called.
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

// settle brings the load up to date. Older times count exponentially less.
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

// texts waits until a text run may begin. busy says that clips are being
// embedded, so the run should be small. If err is nil the caller calls ended
// after the run.
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
