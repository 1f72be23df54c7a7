package notify

import (
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// pace decides which events of a partition are sent at once, and which are held back to
// be sent together later: those of a group that was just sent something, and all once
// the receiver's limit is reached. Events of one group leave in the order in which they
// came, and all events of an alert are in one group. It is for one goroutine.
type pace struct {
	every time.Duration // between two notifications of a group; 0: no wait
	limit *rate.Limiter // of the receiver, shared by its partitions

	until map[string]time.Time // when a group may be sent again
	held  []heldGroup          // in the order in which they were first held
	count int                  // of events held
}

// heldGroup is what is held back of a group.
type heldGroup struct {
	group string
	from  int64 // the lowest offset
	all   []Event
}

// Bounds on what is held back. What is beyond stays on Kafka, and so does a group that
// has as many events as one notification may have.
const (
	maxHeld     = 1000
	maxTogether = 100
	// maxGroups bounds the groups whose last notification is remembered.
	maxGroups = 10_000
)

func newPace(every time.Duration, limit *rate.Limiter) *pace {
	return &pace{every: every, limit: limit, until: map[string]time.Time{}}
}

// newLimiter is the limiter of a receiver.
func newLimiter(l Limit) *rate.Limiter {
	if l.Count == 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Every(l.Per/time.Duration(l.Count)), l.Count)
}

// offer takes an event, and is whether it may be sent now; else it is held.
func (p *pace) offer(e Event, group string, offset int64, now time.Time) bool {
	i := slices.IndexFunc(p.held, func(h heldGroup) bool { return h.group == group })
	if i < 0 && !now.Before(p.until[group]) && p.limit.AllowN(now, 1) {
		p.sent(group, now)
		return true
	}
	if i < 0 {
		i = len(p.held)
		p.held = append(p.held, heldGroup{group: group, from: offset})
	}
	p.held[i].from = min(p.held[i].from, offset) // what is withheld may come first (noOffset)
	p.held[i].all = append(p.held[i].all, e)
	p.count++
	return false
}

// full is whether no more events may be offered.
func (p *pace) full() bool {
	return p.count >= maxHeld || slices.ContainsFunc(p.held, func(h heldGroup) bool { return len(h.all) >= maxTogether })
}

// due returns a group that may be sent now and takes it out.
func (p *pace) due(now time.Time) ([]Event, bool) {
	for i, h := range p.held {
		if now.Before(p.until[h.group]) {
			continue
		}
		if !p.limit.AllowN(now, 1) {
			return nil, false
		}
		p.held = slices.Delete(p.held, i, i+1)
		p.count -= len(h.all)
		p.sent(h.group, now)
		return h.all, true
	}
	return nil, false
}

// wait is how long it takes until a group may be due. false: nothing is held.
func (p *pace) wait(now time.Time) (time.Duration, bool) {
	if len(p.held) == 0 {
		return 0, false
	}
	least := maxGroup
	for _, h := range p.held {
		least = min(least, p.until[h.group].Sub(now))
	}
	// What another partition takes of the limit can't be known: look again soon.
	const look = 50 * time.Millisecond
	return max(least, look), true
}

// first is the lowest offset that is held, or next where none is.
func (p *pace) first(next int64) int64 {
	for _, h := range p.held {
		next = min(next, h.from)
	}
	return next
}

func (p *pace) sent(group string, now time.Time) {
	if p.every == 0 {
		return
	}
	if len(p.until) >= maxGroups {
		for g, t := range p.until {
			if !now.Before(t) {
				delete(p.until, g)
			}
		}
	}
	p.until[group] = now.Add(p.every)
}
