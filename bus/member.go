package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// member is one member of a group. Its fields belong to the goroutine that runs it;
// handlers use the gate only.
type member struct {
	client      *Client
	o           GroupOptions
	handle      func(context.Context, *Partition) error
	fail        context.CancelCauseFunc
	coordinator *coordinator
	gate        *gate

	id         string // assigned by the coordinator; "": none
	generation int32  // the coordinator's number
	leader     bool
	partitions int // of the topic, when they were last assigned
	counted    time.Time
	// doubtful is set while others may have held what this member holds.
	doubtful bool
	since    time.Time // when it was first assigned anything, if only an empty share
	again    time.Time // when the leader assigns anew; zero: not by itself

	holds  map[int]*hold // by partition: what is claimed when joining
	ending []*hold       // lost, but the handler has not returned yet
	over   chan struct{} // holds one: look whether handlers have returned
}

// hold is a partition that this member holds, with its handler.
type hold struct {
	p          *Partition
	generation int
	cancel     context.CancelFunc
	ended      chan struct{} // closed when the handler has returned
	until      time.Time     // by when it must have, if the partition is to be released
}

func (h *hold) done() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// released is whether there are partitions to release, and their handlers have all
// returned or had their time.
func (m *member) released() bool {
	n := 0
	for _, h := range m.holds {
		if !h.until.IsZero() {
			n++
			if !h.done() && time.Now().Before(h.until) {
				return false
			}
		}
	}
	return n > 0
}

// settle gives up the partitions that are released.
func (m *member) settle() {
	for p, h := range m.holds {
		if !h.until.IsZero() && (h.done() || time.Now().After(h.until)) {
			m.lose(p)
		}
	}
	m.ending = slices.DeleteFunc(m.ending, (*hold).done)
}

// lose ends a hold: its handler can send nothing any more.
func (m *member) lose(partition int) {
	h := m.holds[partition]
	delete(m.holds, partition)
	m.gate.lose(&h.p.lease)
	h.cancel()
	m.ending = append(m.ending, h)
}

func (m *member) claim() claim {
	silence := m.coordinator.contact.silence(time.Now())
	c := claim{Held: map[int]int{}, Steady: m.generation > 0 && silence == 0}
	if m.generation > 0 && silence > 0 {
		c.Silence = max(silence.Milliseconds(), 1)
	}
	if !m.since.IsZero() {
		c.Age = time.Since(m.since).Milliseconds()
	}
	for p, h := range m.holds {
		c.Held[p] = h.generation
	}
	return c
}

// join joins the group's next generation and takes over what it is assigned.
func (m *member) join(ctx context.Context) error {
	m.gate.close(ctx)
	m.settle()
	var j joined
	for {
		var err error
		j, err = m.coordinator.join(ctx, m.id, m.o.Topic, encode(m.claim()))
		if errors.Is(err, kafka.MemberIDRequired) && m.id == "" && j.member != "" {
			m.id = j.member
			continue
		}
		if err != nil {
			m.expelled(err)
			return err
		}
		break
	}
	m.id, m.generation, m.leader = j.member, j.generation, j.leader
	n, err := m.client.Partitions(ctx, m.o.Topic)
	if err != nil {
		return err
	}
	m.partitions, m.counted = n, time.Now()
	var shares map[string]share
	if j.leader {
		shares = assign(j.members, n, int(m.client.clock.now().Unix()))
	}
	sent := time.Now()
	s, err := m.coordinator.sync(ctx, j, m.o.Topic, shares)
	if errors.Is(err, kafka.RebalanceInProgress) && ctx.Err() == nil {
		return m.join(ctx) // another member has joined meanwhile; the coordinator limits how often
	}
	if err != nil {
		m.expelled(err)
		return err
	}
	if err := m.confirmHolds(ctx); err != nil {
		return err
	}
	m.take(ctx, s, sent)
	if m.o.Joined != nil {
		m.o.Joined()
	}
	return nil
}

// confirmHolds gives up partitions that others have worked on while this member
// counted as dead: they have committed what they finished.
func (m *member) confirmHolds(ctx context.Context) error {
	if !m.doubtful {
		return nil
	}
	for p, h := range m.holds {
		offset, err := m.coordinator.committed(ctx, h.p.at)
		if err != nil {
			return err
		}
		if !h.p.own(offset) {
			m.lose(p)
		}
	}
	m.doubtful = false
	return nil
}

// take starts, keeps, releases and gives up partitions as a new share says.
func (m *member) take(ctx context.Context, s share, sent time.Time) {
	for p, h := range m.holds {
		h.generation = s.Generation
		switch {
		case slices.Contains(s.partitions, p) && h.until.IsZero(): // kept
		case slices.Contains(s.Release, p):
			if h.until.IsZero() {
				h.until = time.Now().Add(Grace)
				time.AfterFunc(Grace, m.wake)
			}
			h.cancel()
		default:
			m.lose(p)
		}
	}
	m.plan(ctx, s)
	m.gate.reopen(m.id, m.generation, s.Generation, sent)
	for _, p := range s.partitions {
		if m.holds[p] == nil {
			m.start(ctx, p, s.Generation)
		}
	}
	m.client.Logger.DebugContext(ctx, "kafka: partitions", "group", m.o.Group, "generation", s.Generation, "partitions", s.partitions, "release", s.Release)
}

// plan notes when the leader is to assign anew.
func (m *member) plan(ctx context.Context, s share) {
	if m.since.IsZero() {
		m.since = time.Now()
	}
	m.again = time.Time{}
	if s.Again > 0 {
		m.again = time.Now().Add(time.Duration(s.Again) * time.Millisecond)
	}
	if s.Wait > 0 {
		m.client.Logger.InfoContext(ctx, "kafka: partitions are kept for a worker that may come back", "group", m.o.Group, "seconds", float64(s.Wait)/1000)
	} else {
		m.coordinator.contact.complete()
	}
}

// wake makes the member look at its handlers.
func (m *member) wake() {
	select {
	case m.over <- struct{}{}:
	default:
	}
}

// start runs the handler of a partition, after an earlier one of it has returned.
func (m *member) start(ctx context.Context, partition, generation int) {
	ctx, cancel := context.WithCancel(ctx)
	h := &hold{generation: generation, cancel: cancel, ended: make(chan struct{}), p: m.newPartition(partition)}
	var before []*hold
	for _, e := range m.ending {
		if e.p.at == h.p.at {
			before = append(before, e)
		}
	}
	m.holds[partition] = h
	go func() {
		defer m.wake()
		defer close(h.ended)
		defer cancel()
		for _, e := range before {
			<-e.ended
		}
		if err := m.own(ctx, h.p); err != nil && ctx.Err() == nil {
			m.fail(err)
		}
	}()
}

// own runs the handler of one partition.
func (m *member) own(ctx context.Context, p *Partition) error {
	if err := p.begin(ctx, m.o.StartFirst); err != nil {
		return err
	}
	defer m.client.observeLag(m.o.Group, p.at, p.Lag)()
	if err := m.handle(ctx, p); err != nil {
		return err
	}
	return fmt.Errorf("handler of %s/%d ended on its own", p.at.topic, p.at.partition)
}

// finish lets the handlers finish, and leaves the group.
func (m *member) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer cancel()
	all := m.ending
	for _, h := range m.holds {
		h.cancel()
		all = append(all, h)
	}
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	beating := m.id != ""
	for slices.ContainsFunc(all, func(h *hold) bool { return !h.done() }) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-m.over:
			continue
		case <-m.gate.ask:
		case <-tick.C:
		}
		if beating {
			again, err := m.heartbeat(ctx)
			beating = err == nil && (!again || m.id != "")
		}
	}
	for _, h := range all {
		m.gate.lose(&h.p.lease)
	}
	if m.id != "" {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
		defer cancel()
		if err := m.coordinator.leave(leaving, m.id); err != nil {
			m.client.Logger.DebugContext(ctx, "kafka: leave group", "group", m.o.Group, "error", err)
		}
	}
	for _, h := range all {
		<-h.ended
	}
}
