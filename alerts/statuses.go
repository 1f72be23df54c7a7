package alerts

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// statuses is the table of stream states, for rules on streams. Of each camera it
// keeps the newest status alone: one that is replaced before it was looked at is not
// looked at any more.
type statuses struct {
	mu      sync.Mutex
	ready   bool
	version int
	byName  map[string]*list.Element
	order   *list.List    // of *heardStatus, the newest first
	changed chan struct{} // closed when there is something new
}

// heardStatus is the newest status of a camera.
type heardStatus struct {
	camera  string
	version int
	status  *topics.StreamStatus // nil: the camera was removed
}

func newStatuses() *statuses {
	return &statuses{byName: map[string]*list.Element{}, order: list.New(), changed: make(chan struct{})}
}

// replaced is for how long statuses of a worker that has lost a camera are looked out
// for: longer than it can take to notice that.
const replaced = 30 * time.Second

// note takes a record of the table; an empty one removes its key.
func (s *statuses) note(m bus.Message) error {
	h := &heardStatus{camera: string(m.Key)}
	if len(m.Value) > 0 {
		status, err := topics.DecodeStatus(m.Value)
		if err == nil && status.Camera != h.camera {
			err = fmt.Errorf("the record of key %.80q is of camera %q", h.camera, status.Camera)
		}
		if err == nil {
			err = checkDate(m, status.At)
		}
		if err != nil {
			return err
		}
		h.status = &status
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byName[h.camera]
	if before != nil {
		if was := before.Value.(*heardStatus).status; was != nil && h.status != nil &&
			h.status.Generation < was.Generation && h.status.At.Sub(was.At) < replaced {
			return nil
		}
		s.order.Remove(before)
	} else if len(s.byName) >= maxCameras {
		oldest := s.order.Remove(s.order.Back()).(*heardStatus)
		delete(s.byName, oldest.camera)
	}
	s.version++
	h.version = s.version
	s.byName[h.camera] = s.order.PushFront(h)
	if s.ready {
		s.wake()
	}
	return nil
}

// wake tells those who wait. The mutex is held.
func (s *statuses) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// reading says whether the table is being read from its beginning, when records that
// have been replaced come too.
func (s *statuses) reading(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready = !on; s.ready {
		s.wake()
	}
}

// since returns what came after a version, oldest first, the version up to which that
// is, and a channel that is closed when more comes.
func (s *statuses) since(version int) (news []*heardStatus, now int, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready {
		return nil, version, s.changed
	}
	for e := s.order.Front(); e != nil && e.Value.(*heardStatus).version > version; e = e.Next() {
		news = append(news, e.Value.(*heardStatus))
	}
	for i, j := 0, len(news)-1; i < j; i, j = i+1, j-1 {
		news[i], news[j] = news[j], news[i]
	}
	return news, s.version, s.changed
}

// followStatuses keeps up with the table until ctx ends, once there is a rule on
// streams. While the table can't be read such rules raise and clear nothing, and a
// warning says so.
func (s *Stage) followStatuses(ctx context.Context) {
	if !s.await(ctx, func(rules *RuleSet) bool { return len(rules.onStreams()) > 0 }) {
		return
	}
	s.Bus.Table(s.Names.Of(topics.Status)).Keep(ctx, s.statuses.note, func(err error) {
		s.statuses.reading(err != nil)
		if err != nil {
			err = fmt.Errorf("rules on streams raise and clear nothing: %w", err)
		}
		s.Reporter.Warning("status", err)
	})
}

// judge applies the rules on streams to the statuses that came after w.heard, of
// cameras of this partition.
func (w *worker) judge(ctx context.Context) (changed <-chan struct{}, err error) {
	news, now, changed := w.statuses.since(w.heard)
	select {
	case <-w.fleet.ready:
	default: // the next tick tries again
		return changed, nil
	}
	for _, h := range news {
		home, err := w.home(ctx, w.p.Topic(), h.camera)
		if err != nil { // Kafka does not answer: the next tick tries again
			return changed, nil //nolint:nilerr // it is no reason to give the partition up
		}
		if home != w.p.ID() {
			w.heard = h.version
			continue
		}
		tags, gone := w.fleet.tagsOf(h.camera)
		var found []topics.Alert
		if h.status == nil || gone {
			found = w.streams.remove(h.camera)
		} else {
			found = w.streams.see(*h.status, tags)
		}
		if err := w.publish(ctx, found, nil); err != nil {
			return nil, err
		}
		w.heard = h.version
	}
	w.heard = now
	return changed, nil
}
