package console

import (
	"hash/maphash"
	"slices"
	"time"
)

// leftCount is how many alerts somebody has left, as of a version.
type leftCount struct {
	version, tags uint64
	at            time.Time
	n             int
	sum           uint64
}

const (
	// leftAge is how old a count may be that many pages show, and maxLefts for how many
	// people one is kept.
	leftAge  = time.Second
	maxLefts = 100
)

// left is how many of the last day's alerts that somebody sees they have neither decided nor
// set aside, and a number that is another one when what they see of alerts is; exact: as
// of now.
func (q *queue) left(see sight, now time.Time, exact bool) (n int, version uint64) {
	key := see.key()
	q.mu.Lock()
	defer q.mu.Unlock()
	known, is := q.lefts[key]
	if is && !exact && known.tags == see.tags && (known.version == q.version && now.Sub(known.at) < time.Minute || now.Sub(known.at) < leftAge) {
		return known.n, known.sum
	}
	count := leftCount{version: q.version, tags: see.tags, at: now, sum: q.version}
	if !see.who.All {
		count.sum = q.sum(see)
	}
	from, aside := now.Add(-queueAge), q.later[see.who.Name]
	for _, one := range slices.Backward(q.order) {
		if one.At.Before(from) {
			break
		}
		if see.alert(one.about) && !q.marks.has(one.ID) && !aside[one.ID] {
			count.n++
		}
	}
	if len(q.lefts) >= maxLefts {
		clear(q.lefts)
	}
	q.lefts[key] = count
	return count.n, count.sum
}

// sum changes when something does that somebody sees, and with nothing else: a number that
// went on with other alerts would count them. It needs the lock.
func (q *queue) sum(see sight) uint64 {
	type link struct{ before, rev uint64 }
	var sum uint64
	if q.whole {
		sum = 1
	}
	for _, one := range q.order {
		if see.alert(one.about) {
			sum = maphash.Comparable(q.seed, link{sum, one.rev})
		}
	}
	return sum & (1<<53 - 1) // as far as JavaScript counts
}
