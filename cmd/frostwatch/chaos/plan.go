package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Nemesis is a kind of disturbance.
type Nemesis string

// The nemeses.
const (
	// Calm disturbs nothing: the control, in which nothing may even come again.
	Calm Nemesis = "calm"
	// Kill ends workers with SIGKILL and starts others in their place, while the way to the broker
	// is a little slow: a worker that is not waiting for an answer is hardly ever between two
	// requests when it dies.
	Kill Nemesis = "kill"
	// Freeze suspends workers with SIGSTOP, for longer than their session.
	Freeze Nemesis = "freeze"
	// Broker ends the broker with SIGKILL and starts it again on its files.
	Broker Nemesis = "broker"
	// Conns resets every connection to the broker after 0.5 to 1.5 s, all along.
	Conns Nemesis = "conns"
	// Slow delays what passes to and from the broker.
	Slow Nemesis = "slow"
	// Partition cuts off the broker without closing a connection.
	Partition Nemesis = "partition"
	// HalfOpen does so in one direction alone.
	HalfOpen Nemesis = "half-open"
	// Storm has workers come and go.
	Storm Nemesis = "storm"
	// Mix takes another of these for each step, beside workers that are dead or suspended.
	Mix Nemesis = "mix"
)

// Nemeses are all but Calm.
func Nemeses() []Nemesis {
	return []Nemesis{Kill, Freeze, Broker, Conns, Slow, Partition, HalfOpen, Storm, Mix}
}

// action is what a step does.
type action string

const (
	killWorker  action = "kill"     // a worker, and start another after the step's time
	freeze      action = "freeze"   // a worker, for the step's time
	join        action = "join"     // a further worker, which leaves after the step's time
	killBroker  action = "broker"   // and start it again after the step's time
	cutConns    action = "conns"    // for the step's time, as all that follow
	slowDown    action = "slow"     // by the step's delay
	cutUp       action = "cut up"   // what goes to the broker
	cutDown     action = "cut down" // what comes from it
	cutBoth     action = "cut both"
	sessionTime        = 6 * time.Second // of the groups' members (bus)
)

// step is one disturbance, counted from when the fleet begins.
type step struct {
	At     time.Duration
	Do     action
	Stage  string // of the worker; "": it is not about one
	Worker int    // of that stage, modulo how many there are
	For    time.Duration
	Delay  time.Duration
}

func (s step) String() string {
	text := fmt.Sprintf("%.3fs %s", s.At.Seconds(), s.Do)
	if s.Stage != "" {
		text += fmt.Sprintf(" %s %d", s.Stage, s.Worker+1)
	}
	if s.Delay > 0 {
		text += fmt.Sprintf(" by %v", s.Delay)
	}
	return text + fmt.Sprintf(" for %.3fs", s.For.Seconds())
}

// Plan is what a trial does: a function of the seed, the trial's number and the load's length
// alone.
type Plan struct {
	Seed    uint64 // of the run
	Trial   int
	Nemesis Nemesis
	steps   []step
}

// Schedule is what is done and when, for people.
func (p Plan) Schedule() string {
	texts := make([]string, len(p.steps))
	for i, s := range p.steps {
		texts[i] = s.String()
	}
	return strings.Join(texts, "; ")
}

// source is the trial's random source; of tells apart what it is for.
func source(seed uint64, trial int, of uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(trial)<<8|of))
}

// stages are those whose workers are disturbed.
func stages() []string { return []string{"infer", "alerts"} }

// NewPlan makes the plan of a trial, of which the load lasts so long. Trials take the nemeses
// in turn, so that each has as many as another; the first is calm, if from holds it.
func NewPlan(seed uint64, trial int, from []Nemesis, load time.Duration) Plan {
	p := Plan{Seed: seed, Trial: trial, Nemesis: from[trial%len(from)]}
	r := source(seed, trial, 0)
	between := func(from, to time.Duration) time.Duration {
		return from + time.Duration(r.Int64N(int64(to-from)+1)).Truncate(time.Millisecond)
	}
	// Steps begin in the first three quarters of the load, so that there is something to disturb.
	at := between(time.Second, max(load/4, 1100*time.Millisecond))
	if p.Nemesis == Kill {
		p.steps = append(p.steps, step{Do: slowDown, For: load, Delay: between(10*time.Millisecond, 60*time.Millisecond)})
	}
	for p.Nemesis != Calm && at < load*3/4 {
		n := p.Nemesis
		if n == Mix {
			some := []Nemesis{Kill, Kill, Freeze, Broker, Slow, Partition, HalfOpen, Storm}
			n = some[r.IntN(len(some))]
		}
		s := step{At: at, Stage: stages()[r.IntN(2)], Worker: r.IntN(2)}
		switch n {
		case Kill:
			s.Do, s.For = killWorker, between(100*time.Millisecond, 3*time.Second)
			at += between(500*time.Millisecond, 5*time.Second)
		case Freeze:
			s.Do, s.For = freeze, between(sessionTime+500*time.Millisecond, sessionTime+4*time.Second)
			at += between(2*time.Second, 10*time.Second)
		case Storm:
			s.Do, s.For = join, between(1500*time.Millisecond, 6*time.Second)
			at += between(500*time.Millisecond, 2500*time.Millisecond)
		default: // one of these at a time
			s.Stage, s.Worker = "", 0
			s.weather(n, between, load)
			at += s.For + between(time.Second, 5*time.Second)
		}
		p.steps = append(p.steps, s)
	}
	return p
}

// weather makes a step about the broker or the way to it.
func (s *step) weather(n Nemesis, between func(from, to time.Duration) time.Duration, load time.Duration) {
	switch n {
	case Broker:
		s.Do, s.For = killBroker, between(100*time.Millisecond, 4*time.Second)
	case Conns:
		s.Do, s.At, s.For, s.Delay = cutConns, 0, load, between(0, 60*time.Millisecond)
	case Slow:
		s.Do, s.For, s.Delay = slowDown, between(load/4, load/2), between(20*time.Millisecond, 300*time.Millisecond)
	case Partition:
		s.Do, s.For = cutBoth, between(2*time.Second, sessionTime+4*time.Second)
	case HalfOpen:
		s.Do, s.For = []action{cutUp, cutDown}[int(s.At/time.Millisecond)%2], between(2*time.Second, sessionTime+4*time.Second)
	}
}

// CheckNemeses returns an error if one is unknown.
func CheckNemeses(all []Nemesis) error {
	known := append(Nemeses(), Calm)
	for _, n := range all {
		if !slices.Contains(known, n) {
			return fmt.Errorf("nemesis %q: want %s or %s", n, joined(Nemeses()), Calm)
		}
	}
	return nil
}

func joined(all []Nemesis) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}
