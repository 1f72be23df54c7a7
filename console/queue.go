package console

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// queueAge is how long ago alerts were raised that are to be reviewed, unless somebody
	// asks for others.
	queueAge = 24 * time.Hour
	// keptAge is how long they are kept in memory.
	keptAge = queueAge + time.Hour
	// maxQueued and maxQueuedBytes bound them: anybody may write alerts of 100 KB.
	maxQueued      = 25_000
	maxQueuedBytes = 64 << 20
)

// queue is the alerts of the last day and those that are open, with what was said of
// them. What is older is read when somebody asks. Safe for concurrent use.
type queue struct {
	mu    sync.Mutex
	all   map[string]*queued
	order []*queued // by when they were raised, the newest last
	bytes int
	// since is from when on no alert is missing.
	since    time.Time
	whole    bool              // the alerts that there were at the start have been read
	open     map[string]string // the table of open alerts: ids by key
	marks    said[mark]
	verdicts said[topics.Verdict]
	later    map[string]map[string]bool // ids that somebody has set aside, by name
	version  uint64                     // of all of this
	pages    pageWaker
	seed     maphash.Seed
	lefts    map[string]leftCount
}

// pageWaker lets pages know that something has changed: those of who sees all of some
// cameras, or everybody's.
type pageWaker interface {
	wakeFor(about)
	wakeAll()
}

type queued struct {
	alertlog.View
	about about
	size  int
	rev   uint64 // the version with which it, or what was said of it, has changed
}

func newQueue(now time.Time, pages pageWaker) *queue {
	return &queue{
		all: map[string]*queued{}, since: now.Add(-queueAge), open: map[string]string{}, marks: newSaid[mark](), verdicts: newSaid[topics.Verdict](),
		later: map[string]map[string]bool{}, pages: pages, seed: maphash.MakeSeed(), lefts: map[string]leftCount{},
	}
}

// newestFirst is the order of lists.
func newestFirst(a, b alertlog.View) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
}

// bump notes that an alert has changed, or what was said of it. Of one that is not kept
// only those hear who see every camera. It needs the lock.
func (q *queue) bump(id string) {
	q.version++
	var of about
	if one := q.all[id]; one != nil {
		one.rev, of = q.version, one.about
	}
	q.pages.wakeFor(of)
}

// add takes over a record of the alerts' topic.
func (q *queue) add(a topics.Alert, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.take(a, now)
}

func (q *queue) take(a topics.Alert, now time.Time) {
	// One of the future, which anybody may have written, would be the newest for ever.
	if a.At.After(now.Add(ahead)) {
		return
	}
	if q.all[a.ID] == nil && a.At.Before(q.since) && q.open[a.OpenKey()] != a.ID {
		return
	}
	one, known := q.all[a.ID]
	var view alertlog.View
	if known {
		view = one.View
		q.drop(one)
	}
	one = &queued{View: view.With(a, known)}
	one.size, one.about = sizeOf(one.Alert), aboutOf(one.Alert)
	q.all[a.ID] = one
	at, _ := slices.BinarySearchFunc(q.order, one, func(a, b *queued) int { return newestFirst(b.View, a.View) })
	q.order = slices.Insert(q.order, at, one)
	q.bytes += one.size
	for len(q.order) > maxQueued || q.bytes > maxQueuedBytes {
		oldest := q.order[0]
		q.since = later(q.since, oldest.At.Add(1))
		q.drop(oldest)
	}
	q.bump(a.ID)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// drop forgets one. It needs the lock.
func (q *queue) drop(one *queued) {
	at, found := slices.BinarySearchFunc(q.order, one, func(a, b *queued) int { return newestFirst(b.View, a.View) })
	if found {
		q.order = slices.Delete(q.order, at, at+1)
	}
	delete(q.all, one.ID)
	q.bytes -= one.size
}

// sizeOf is about how many bytes an alert takes.
func sizeOf(a topics.Alert) int {
	n := 1000 + len(a.ID) + len(a.Rule) + len(a.Severity) + len(a.Label) + len(a.NearestBase) + len(a.OnsetClip) + len(a.Clip) + 2*len(a.Reason) +
		len(a.Model) + len(a.Vocab.Name) + len(a.Vocab.Version) + len(a.Verify)
	for _, texts := range [][]string{a.Tags, a.Cameras, a.Cameras, a.Notify} { // cameras: once more for who sees them
		for _, t := range texts {
			n += 16 + len(t)
		}
	}
	return n
}

// setOpen takes over a record of the table of open alerts; nil: that none is open.
func (q *queue) setOpen(key string, a *topics.Alert, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if delete(q.open, key); a == nil || len(q.open) >= maxOpen {
		return
	}
	q.open[key] = a.ID
	if q.all[a.ID] == nil {
		q.take(*a, now)
	}
}

// caughtUp notes that the alerts that there were have been read.
func (q *queue) caughtUp() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.whole {
		q.whole = true
		q.version++
		q.pages.wakeAll() // they wait for it
	}
}

func (q *queue) isWhole() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.whole
}

// prune forgets what is older than is kept, and not open.
func (q *queue) prune(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := now.Add(-keptAge)
	q.since = later(q.since, from)
	if len(q.order) == 0 || !q.order[0].At.Before(from) {
		return
	}
	for _, one := range slices.Clone(q.order) {
		if !one.At.Before(from) {
			break
		}
		if q.open[one.OpenKey()] != one.ID {
			q.drop(one)
			q.version++
			q.pages.wakeFor(one.about)
		}
	}
}

// find is an alert that is kept.
func (q *queue) find(id string) (alertlog.View, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if one, kept := q.all[id]; kept {
		return one.View, true
	}
	return alertlog.View{}, false
}
