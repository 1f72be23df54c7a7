package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// partition is what the stage needs of a *bus.Partition.
type partition interface {
	ID() int
	Generation() int
	Committed() int64
	ReadToEnd(ctx context.Context, from int64, fn func(bus.Message) error) error
	Fetch(ctx context.Context) (bus.Message, error)
	Commit(ctx context.Context, next int64) error
	Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error)
}

// table is the cameras of one partition that this worker holds. It is used by one
// goroutine.
type table struct {
	*Stage
	p       partition
	board   *board
	running map[string]*held           // by camera name
	ending  map[string]<-chan struct{} // closed once that camera's runner has ended
	ends    sync.WaitGroup
}

// held is a camera that runs.
type held struct {
	watcher
	record topics.Camera // as it is on the table now
}

// watcher is a camera that is read, here or by another process.
type watcher interface {
	// stop ends the camera and waits for it.
	stop()
	// giveUp is stop, and publishes why.
	giveUp(reason string)
	// retag sets the tags and the vocabulary of clips made from now on.
	retag(tags []string, vocabulary string)
}

// own runs the cameras of one partition until ctx ends, and waits for their
// ends.
func (s *Stage) own(ctx context.Context, p partition) error {
	// The board outlives ctx, for the last statuses.
	posting, stopPosting := context.WithCancel(context.WithoutCancel(ctx))
	board := newBoard(s.Names.Of(topics.Status), p, s.Logger)
	var posted sync.WaitGroup
	posted.Go(func() { board.run(posting) })
	defer posted.Wait()
	defer stopPosting()

	t := &table{Stage: s, p: p, board: board, running: map[string]*held{}, ending: map[string]<-chan struct{}{}}
	defer t.stopAll()
	s.leases.add(p)
	defer s.leases.remove(p)
	if err := t.load(ctx); err != nil {
		return err
	}
	for {
		m, err := p.Fetch(ctx)
		if err != nil {
			return err
		}
		if err := t.apply(ctx, m); err != nil {
			return err
		}
		if err := ignoreMoved(p.Commit(ctx, m.Offset+1)); err != nil {
			return err
		}
	}
}

// load reads the whole table, whatever was committed, and only then starts what
// is left in it.
func (t *table) load(ctx context.Context) error {
	cameras := map[string]topics.Camera{}
	next := int64(0)
	err := t.p.ReadToEnd(ctx, 0, func(m bus.Message) error {
		next = m.Offset + 1
		name, c, err := t.decode(ctx, m)
		switch {
		case err != nil:
			return err
		case c != nil:
			cameras[name] = *c
		case name != "":
			delete(cameras, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	left := t.statuses(ctx)
	t.Logger.InfoContext(ctx, "cameras taken over", "partition", t.p.ID(), "generation", t.p.Generation(), "cameras", len(cameras))
	for _, c := range cameras {
		if c.Disabled {
			t.disabled(c.Name, left[c.Name])
			continue
		}
		// Not all at once, for the sake of cameras, switches and our own cores.
		spread := min(time.Duration(len(t.running))*20*time.Millisecond, 3*time.Second)
		t.start(ctx, c, rand.N(spread+1), left[c.Name].OfflineSince)
	}
	t.forgetGone(ctx, left, cameras)
	if next == 0 {
		return nil
	}
	return ignoreMoved(t.p.Commit(ctx, next))
}

// statuses are those that the workers before left on the table, by camera; one that
// can't be decoded has only its name.
func (t *table) statuses(ctx context.Context) map[string]topics.StreamStatus {
	left := map[string]topics.StreamStatus{}
	err := t.Bus.Replay(ctx, t.Names.Of(topics.Status), t.p.ID(), 0, -1, func(m bus.Message) error {
		name := string(m.Key)
		if len(m.Value) == 0 {
			delete(left, name)
			return nil
		}
		s, err := topics.DecodeStatus(m.Value)
		if err != nil || s.Camera != name {
			s = topics.StreamStatus{Camera: name}
		}
		left[name] = s
		return nil
	})
	if err != nil && ctx.Err() == nil {
		t.Logger.WarnContext(ctx, "the statuses of the workers before can't be read", "partition", t.p.ID(), "error", err)
	}
	return left
}

// forgetGone removes the statuses of cameras that were removed while no worker
// held them: nobody else will.
func (t *table) forgetGone(ctx context.Context, left map[string]topics.StreamStatus, there map[string]topics.Camera) {
	for name := range left {
		if _, is := there[name]; is {
			continue
		}
		// Topics that somebody else made may differ in their numbers of partitions.
		home, err := t.Bus.PartitionOf(ctx, t.Names.Of(topics.Cameras), []byte(name))
		if err != nil {
			if ctx.Err() == nil {
				t.Logger.WarnContext(ctx, "statuses of cameras that are gone can't be removed", "partition", t.p.ID(), "error", err)
			}
			return
		}
		if home == t.p.ID() {
			t.board.clear(name)
		}
	}
}

func ignoreMoved(err error) error {
	if errors.Is(err, bus.ErrMoved) {
		return nil
	}
	return err
}

// apply takes over one record that came while running, and logs that. It does not
// wait for cameras that end.
func (t *table) apply(ctx context.Context, m bus.Message) error {
	name, c, err := t.decode(ctx, m)
	if err != nil || name == "" {
		return err
	}
	r := t.running[name]
	log := t.Logger.With("camera", name)
	switch {
	case c == nil && r == nil:
	case c != nil && c.Disabled && r == nil:
		t.disabled(name, topics.StreamStatus{})
	case c != nil && c.Disabled:
		log.InfoContext(ctx, "camera disabled")
		t.end(name, func() {
			r.stop()
			t.disabled(name, topics.StreamStatus{})
		})
	case c == nil:
		log.InfoContext(ctx, "camera removed")
		t.end(name, func() {
			r.stop()
			t.board.clear(name)
		})
	case r == nil:
		log.InfoContext(ctx, "camera added", "tags", c.Tags)
		t.start(ctx, *c, 0, time.Time{})
	case sameStream(*c, r.record):
		if !reflect.DeepEqual(c.Tags, r.record.Tags) || c.Vocabulary != r.record.Vocabulary {
			log.InfoContext(ctx, "camera's tags or vocabulary changed", "tags", c.Tags, "vocabulary", c.Vocabulary)
			r.retag(c.Tags, c.Vocabulary)
		}
		r.record = *c
	default:
		log.InfoContext(ctx, "camera changed", "tags", c.Tags)
		t.end(name, func() { r.giveUp("the camera was changed") })
		t.start(ctx, *c, 0, time.Time{})
	}
	return nil
}

// disabled publishes that a camera is left alone, and since when: was is its status so far.
// It is not offline then: nobody wants its video.
func (t *table) disabled(name string, was topics.StreamStatus) {
	now := t.Now().UTC()
	s := topics.StreamStatus{Camera: name, State: topics.StreamStopped, Reason: topics.DisabledReason, Since: now, Worker: t.Worker, At: now}
	if was.State == s.State && was.Reason == s.Reason {
		s.Since = was.Since
	}
	t.board.post(s)
}

// sameStream is whether two records of one camera ask for the same stream, cut
// into the same clips.
func sameStream(a, b topics.Camera) bool {
	a.Tags, a.Vocabulary, a.Source, a.OwnTags = b.Tags, b.Vocabulary, b.Source, b.OwnTags
	return reflect.DeepEqual(a, b)
}

// decode reads a record: the camera, or nil for a removal. A record that can't be
// read goes to the dead letters, once, and has no name: its camera, if it runs,
// goes on as it was. Records on the topic that are no cameras have no name either.
func (t *table) decode(ctx context.Context, m bus.Message) (string, *topics.Camera, error) {
	if topics.IsCameraSetKey(string(m.Key)) {
		return "", nil, nil
	}
	if len(m.Value) == 0 {
		return string(m.Key), nil, nil
	}
	c, err := topics.DecodeCamera(m.Value)
	if err == nil && c.Name != string(m.Key) {
		err = fmt.Errorf("the record's key is %q, its name %q", m.Key, c.Name)
	}
	if err == nil {
		return c.Name, &c, nil
	}
	if m.Offset < t.p.Committed() {
		return "", nil, nil
	}
	return "", nil, t.dead.Add(ctx, m, err)
}

// start runs a camera, after the one of that name that is ending.
func (t *table) start(ctx context.Context, c topics.Camera, delay time.Duration, offline time.Time) {
	was := before{delay: delay, offline: offline, after: t.ending[c.Name]}
	var w watcher
	if t.fleet != nil {
		w = t.fleet.start(ctx, c, was, t.board, t.p.Send)
	} else {
		w = t.begin(ctx, c, was, t.board, t.p.Send)
	}
	t.running[c.Name] = &held{w, c}
}

// end runs how, which ends a camera, without making the other cameras wait.
func (t *table) end(name string, how func()) {
	delete(t.running, name)
	for name, done := range t.ending {
		select {
		case <-done:
			delete(t.ending, name)
		default:
		}
	}
	ended, before := make(chan struct{}), t.ending[name]
	t.ending[name] = ended
	t.ends.Go(func() {
		defer close(ended)
		how()
		if before != nil {
			<-before
		}
	})
}

// flushTime bounds how long the last statuses may take. Of bus.Grace, a third is
// for a camera's goodbye (media) and a half for the clips that wait (framer).
const flushTime = bus.Grace / 6

// stopAll stops the cameras, all at the same time, and publishes that before
// another worker takes them over, as far as the partition is still this worker's.
func (t *table) stopAll() {
	for name, r := range t.running {
		t.end(name, func() { r.giveUp("its worker has given it up") })
	}
	t.ends.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	t.board.flush(ctx)
}
