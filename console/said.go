package console

import (
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// maxSaid bounds the marks and the verdicts that are kept, each.
const maxSaid = 200_000

// said is what was said of alerts, by id: the newest of it.
type said[T any] struct{ of map[string]saying[T] }

type saying[T any] struct {
	T    T
	at   time.Time
	from topics.RecordRef // the record's position
	gone bool             // taken back; kept until the record of that is read
}

// mark is a mark as it is kept.
type mark = topics.Mark

func newSaid[T any]() said[T] { return said[T]{of: map[string]saying[T]{}} }

func (s said[T]) has(id string) bool { v, is := s.of[id]; return is && !v.gone }

func (s said[T]) get(id string) *T {
	if v, is := s.of[id]; is && !v.gone {
		return &v.T
	}
	return nil
}

// put takes over what is said at a position. What comes late, after something newer was
// written from here, is passed over.
func (s said[T]) put(id string, v saying[T]) {
	if old, is := s.of[id]; is && old.from.Partition == v.from.Partition && v.from.Offset < old.from.Offset {
		return
	}
	s.of[id] = v
	if len(s.of) > maxSaid {
		type dated struct {
			id string
			at time.Time
		}
		all := make([]dated, 0, len(s.of))
		for id, v := range s.of {
			all = append(all, dated{id, v.at})
		}
		slices.SortFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
		for _, old := range all[:len(all)/10] {
			delete(s.of, old.id)
		}
	}
}

// remove takes over that nothing is said any more.
func (s said[T]) remove(id string, from topics.RecordRef) {
	if old, is := s.of[id]; is && (old.from.Partition != from.Partition || from.Offset >= old.from.Offset) {
		delete(s.of, id)
	}
}

func positionOf(m bus.Message) topics.RecordRef {
	return topics.RecordRef{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}
}

// setMark takes over a record of the table of marks; nil: that there is none.
func (q *queue) setMark(id string, m *topics.Mark, from topics.RecordRef) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m == nil {
		q.marks.remove(id, from)
	} else {
		q.marks.put(id, saying[mark]{T: *m, at: m.At, from: from})
	}
	q.bump(id)
}

// setVerdict takes over a record of the table of verdicts; nil: that there is none.
func (q *queue) setVerdict(id string, v *topics.Verdict, from topics.RecordRef) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v == nil {
		q.verdicts.remove(id, from)
	} else {
		q.verdicts.put(id, saying[topics.Verdict]{T: *v, at: v.At, from: from})
	}
	q.bump(id)
}

// opinions are what was said of an alert: by a person, by a second opinion, and whether
// somebody has set it aside.
type opinions struct {
	mark    *topics.Mark
	verdict *topics.Verdict
	later   bool
}

func (q *queue) opinionsOf(name, id string) opinions {
	q.mu.Lock()
	defer q.mu.Unlock()
	return opinions{q.marks.get(id), q.verdicts.get(id), q.later[name][id]}
}

// marksOf are the marks of a label.
func (q *queue) marksOf(label string) map[string]topics.Mark {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := map[string]topics.Mark{}
	for id, m := range q.marks.of {
		if !m.gone && m.T.Label == label {
			out[id] = m.T
		}
	}
	return out
}

const (
	// maxLater bounds the alerts that somebody has set aside, maxLaterNames the people.
	maxLater      = 10_000
	maxLaterNames = 100
)

// setLater sets an alert aside for somebody, or no longer. Of too many, those that are not
// kept in memory are forgotten first. It needs the lock.
func (q *queue) setLater(name, id string, is bool) {
	own := q.later[name]
	if !is {
		delete(own, id)
		return
	}
	if own == nil {
		if len(q.later) >= maxLaterNames {
			clear(q.later)
		}
		own = map[string]bool{}
		q.later[name] = own
	}
	if len(own) >= maxLater {
		maps.DeleteFunc(own, func(id string, _ bool) bool { return q.all[id] == nil })
	}
	if len(own) < maxQueued {
		own[id] = true
	}
}
