package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// Grace is how long a handler may take in all to finish when its partition goes
// to another member, or when consuming ends. Until then it may send and commit;
// after that nothing of it is sent, and others get the partition. When the
// group's partitions are given out anew, records in flight are waited for as
// long, too.
const Grace = 3 * time.Second

const (
	// beatEvery is how often a member sends a heartbeat to the coordinator, and so
	// how soon it learns that others have joined or left.
	beatEvery = 500 * time.Millisecond
	// sessionTime is how long a member may send no heartbeat before it counts as
	// dead. It is the shortest that a broker allows by default.
	sessionTime = 6 * time.Second
	// rebalanceTime is how long the coordinator waits for members to rejoin:
	// long enough for them to learn of it, and for their records in flight to
	// be acknowledged. Handlers are not waited for; they keep running.
	rebalanceTime = beatEvery + Grace + 1500*time.Millisecond
	// leaveTime bounds the request to leave the group, after Grace.
	leaveTime = 500 * time.Millisecond
)

// GroupOptions say which group reads which topic.
type GroupOptions struct {
	Group, Topic string
	// StartFirst begins at the oldest record where the group has committed
	// nothing; else at the newest.
	StartFirst bool
	// AnyKey is for topics whose records are placed by another key than their own
	// (Message.PartitionBy): it is no fault if one is not in the partition of its key.
	AnyKey bool
	// Joined, where not nil, is called each time the group has accepted this member.
	// It must not block.
	Joined func()
}

// Consume joins the group and calls handle for each partition that this member
// is given, each in a goroutine of its own. A handler keeps its partition, and
// whatever state it has, until that goes to another member; its context ends then,
// and it has Grace to finish. Other members that join, leave or die disturb only
// the partitions that move. While the group settles, and while the broker is away,
// handlers go on reading and computing; what they send and commit waits.
//
// Consume returns within Grace (and half a second for leaving) of ctx ending,
// without error, provided that the handlers do. It returns an error when a handler
// does (other than of its ended context), or when Kafka refuses the group for
// good.
func (c *Client) Consume(ctx context.Context, o GroupOptions, handle func(context.Context, *Partition) error) error {
	run, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	m := &member{
		client: c, o: o, handle: handle, fail: fail, gate: newGate(),
		coordinator: &coordinator{client: c, group: o.Group},
		holds:       map[int]*hold{}, over: make(chan struct{}, 1),
	}
	err := m.run(run)
	if run.Err() == nil {
		fail(err)
	}
	m.finish(ctx)
	if ctx.Err() == nil {
		return context.Cause(run)
	}
	return nil
}

// run joins the group, and joins again for each of its generations, until ctx ends
// or Kafka refuses the group for good.
func (m *member) run(ctx context.Context) error {
	for {
		if err := m.client.retry(ctx, "join group "+m.o.Group, func() error { return m.join(ctx) }); err != nil {
			if errors.Is(err, kafka.InconsistentGroupProtocol) {
				return fmt.Errorf("group %s has members that assign partitions in another way (an older version, or another program): stop them, or use another group: %w", m.o.Group, err)
			}
			return err
		}
		if err := m.stay(ctx); err != nil {
			return err
		}
	}
}

// stay sends heartbeats until the group's partitions are to be given out anew.
func (m *member) stay(ctx context.Context) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.over:
		case <-m.gate.ask:
		case <-tick.C:
		}
		if m.released() || m.due() {
			return nil
		}
		again, err := m.heartbeat(ctx)
		if again || err != nil {
			return err
		}
	}
}

// heartbeat confirms the membership; again is whether the member has to join again.
func (m *member) heartbeat(ctx context.Context) (again bool, err error) {
	sent := time.Now()
	err = m.coordinator.heartbeat(ctx, m.id, m.generation)
	switch {
	case err == nil:
		m.gate.confirm(m.generation, sent)
		return m.grown(ctx), nil
	case errors.Is(err, kafka.RebalanceInProgress):
		return true, nil
	case m.expelled(err):
		m.client.Logger.WarnContext(ctx, "kafka: the group counted this worker as dead; it joins again", "group", m.o.Group)
		return true, nil
	case permanent(err):
		return false, err
	}
	m.client.Logger.DebugContext(ctx, "kafka: heartbeat", "group", m.o.Group, "error", err)
	// The coordinator is away or slow. Whoever wants to send asks for the next
	// heartbeat at once, so pause.
	pause.For(ctx, beatEvery/5)
	return false, nil
}

// expelled is whether the error says that the coordinator does not know the member,
// or its generation, any more.
func (m *member) expelled(err error) bool {
	unknown := errors.Is(err, kafka.UnknownMemberId) || errors.Is(err, kafka.FencedInstanceID)
	if unknown {
		m.id = ""
		m.coordinator.contact.forgotten(time.Now())
	}
	if unknown || errors.Is(err, kafka.IllegalGeneration) {
		m.doubtful = true
		return true
	}
	return false
}

// due is whether this member, as the leader, is to assign the partitions anew.
func (m *member) due() bool {
	return m.leader && !m.again.IsZero() && time.Now().After(m.again)
}

// grown is whether the topic has more partitions than were assigned.
func (m *member) grown(ctx context.Context) bool {
	if !m.leader || time.Since(m.counted) < 5*time.Second {
		return false
	}
	m.counted = time.Now()
	n, err := m.client.Partitions(ctx, m.o.Topic)
	return err == nil && n > m.partitions
}
