package bus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// coordinator talks to the broker that coordinates a group.
type coordinator struct {
	client  *Client
	group   string
	contact contact

	mu    sync.Mutex
	id    int32
	known bool
}

func (g *coordinator) find(ctx context.Context) (int32, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known {
		return g.id, nil
	}
	asked := "find the coordinator of group " + g.group
	req := &call{api: protocol.FindCoordinator, version: 1, asked: asked, route: toAny}
	req.body.string(g.group)
	req.body.int8(0) // of a group
	r, err := g.client.do(ctx, req, 0)
	if err != nil {
		return 0, err
	}
	r.int32() // throttle
	code := r.int16()
	r.string() // its message
	id := r.int32()
	if err := errors.Join(kafkaError(code), r.err); err != nil {
		return 0, g.client.inWords(asked, "", err)
	}
	g.id, g.known = id, true
	return id, nil
}

func (g *coordinator) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = false
}

// do sends a request to the coordinator, which may take some time to answer beyond
// the usual (broker). parse decodes the answer and returns its error code.
func (g *coordinator) do(ctx context.Context, api protocol.ApiKey, version int16, body wire, broker time.Duration, parse func(*wireReader) int16) error {
	id, err := g.find(ctx)
	if err != nil {
		return err
	}
	req := &call{api: api, version: version, asked: g.asked(api), route: toBroker(id), body: body}
	r, err := g.client.do(ctx, req, broker)
	if err != nil {
		g.forget() // another broker may coordinate the group by now
		return err
	}
	g.contact.answered(time.Now(), broker)
	code := parse(r)
	if c := kafka.Error(code); c == kafka.NotCoordinatorForGroup || c == kafka.GroupCoordinatorNotAvailable {
		g.forget()
	}
	if err = kafkaError(code); err == nil {
		err = r.err
	}
	return g.client.inWords(req.asked, req.broker, err)
}

// asked is what a request of a group is for.
func (g *coordinator) asked(api protocol.ApiKey) string {
	return map[protocol.ApiKey]string{
		protocol.JoinGroup:    "join group ",
		protocol.SyncGroup:    "get the assignment of group ",
		protocol.Heartbeat:    "send a heartbeat to group ",
		protocol.LeaveGroup:   "leave group ",
		protocol.OffsetCommit: "commit an offset of group ",
		protocol.OffsetFetch:  "look up an offset of group ",
	}[api] + g.group
}

// joined is the coordinator's answer to a member that joins.
type joined struct {
	member     string
	generation int32
	leader     bool
	members    map[string]claim // for the leader
}

func (g *coordinator) join(ctx context.Context, member, topic string, userData []byte) (out joined, err error) {
	var metadata wire
	metadata.int16(0)
	metadata.int32(1)
	metadata.string(topic)
	metadata.bytes(userData)
	var w wire
	w.string(g.group)
	w.int32(int32(sessionTime.Milliseconds()))
	w.int32(int32(rebalanceTime.Milliseconds()))
	w.string(member)
	w.string("consumer")
	w.int32(1)
	w.string(protocolName)
	w.bytes(metadata)
	err = g.do(ctx, protocol.JoinGroup, 4, w, rebalanceTime, func(r *wireReader) int16 {
		r.int32() // throttle
		code := r.int16()
		out.generation = r.int32()
		r.string() // protocol
		leader := r.string()
		out.member = r.string()
		out.leader = leader == out.member
		out.members = map[string]claim{}
		for range r.count(6) {
			id := r.string()
			out.members[id] = decode[claim](userDataOf(r.bytes()))
		}
		return code
	})
	return out, err
}

// userDataOf returns the user data in a member's metadata.
func userDataOf(metadata []byte) []byte {
	r := wireReader{b: metadata}
	r.int16() // version
	for range r.count(2) {
		r.string()
	}
	return r.bytes()
}

// sync sends the shares of all members, if this one is the leader, and returns the
// member's own.
func (g *coordinator) sync(ctx context.Context, j joined, topic string, shares map[string]share) (out share, err error) {
	var w wire
	w.string(g.group)
	w.int32(j.generation)
	w.string(j.member)
	w.int32(int32(len(shares)))
	for id, s := range shares {
		w.string(id)
		w.bytes(encodeShare(topic, s))
	}
	err = g.do(ctx, protocol.SyncGroup, 2, w, rebalanceTime, func(r *wireReader) int16 {
		r.int32() // throttle
		code := r.int16()
		out = decodeShare(r.bytes())
		return code
	})
	return out, err
}

// encodeShare is in the form of Kafka's own assignments, so that its tools show
// who has what.
func encodeShare(topic string, s share) []byte {
	var w wire
	w.int16(0)
	w.int32(1)
	w.string(topic)
	w.int32(int32(len(s.partitions)))
	for _, p := range s.partitions {
		w.int32(int32(p))
	}
	w.bytes(encode(s))
	return w
}

func decodeShare(b []byte) share {
	r := wireReader{b: b}
	r.int16() // version
	var partitions []int
	for range r.count(6) {
		r.string()
		for range r.count(4) {
			partitions = append(partitions, int(r.int32()))
		}
	}
	s := decode[share](r.bytes())
	s.partitions = partitions
	return s
}

func (g *coordinator) heartbeat(ctx context.Context, member string, generation int32) error {
	var w wire
	w.string(g.group)
	w.int32(generation)
	w.string(member)
	ctx, cancel := context.WithTimeout(ctx, sessionTime/3)
	defer cancel()
	return g.do(ctx, protocol.Heartbeat, 1, w, 0, func(r *wireReader) int16 {
		r.int32() // throttle
		return r.int16()
	})
}

func (g *coordinator) leave(ctx context.Context, member string) error {
	var w wire
	w.string(g.group)
	w.string(member)
	return g.do(ctx, protocol.LeaveGroup, 1, w, 0, func(r *wireReader) int16 {
		r.int32() // throttle
		return r.int16()
	})
}

// commit stores the next offset to be read of a partition.
func (g *coordinator) commit(ctx context.Context, p pass, at place, next int64) error {
	var w wire
	w.string(g.group)
	w.int32(p.kafka)
	w.string(p.member)
	w.int32(1)
	w.string(at.topic)
	w.int32(1)
	w.int32(int32(at.partition))
	w.int64(next)
	w.string("")
	return g.do(ctx, protocol.OffsetCommit, 5, w, 0, func(r *wireReader) int16 {
		r.int32() // throttle
		r.count(6)
		r.string()
		r.count(6)
		r.int32()
		return r.int16()
	})
}

// committed is the next offset to be read of a partition; -1 where the group has
// stored none.
func (g *coordinator) committed(ctx context.Context, at place) (offset int64, err error) {
	var w wire
	w.string(g.group)
	w.int32(1)
	w.string(at.topic)
	w.int32(1)
	w.int32(int32(at.partition))
	err = g.do(ctx, protocol.OffsetFetch, 3, w, 0, func(r *wireReader) int16 {
		r.int32() // throttle
		r.count(6)
		r.string()
		r.count(16)
		r.int32()
		offset = r.int64()
		r.string()
		if code := r.int16(); code != 0 {
			return code
		}
		return r.int16()
	})
	return offset, err
}
