package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

const (
	// fetchBytes is how much of a partition one request asks for. The first batch is
	// sent complete, however large.
	fetchBytes = 1 << 20
	// fetchWait is how long a broker may wait for records before it answers with none.
	fetchWait = time.Second
)

// fetched is the answer to a fetch.
type fetched struct {
	first, next int64 // as Client.Bounds
	batches     []byte
}

// fetch asks the leader of a partition for the batches from an offset on, waiting
// for some for at most wait.
func (c *Client) fetch(ctx context.Context, at place, offset int64, wait time.Duration, limit int) (fetched, error) {
	asked := fmt.Sprintf("read %s/%d at %d", at.topic, at.partition, offset)
	req := &call{api: protocol.Fetch, version: 10, asked: asked, route: toLeader(at)} // 10: supports all compressions
	w := &req.body
	w.int32(-1) // not a replica
	w.int32(int32(wait.Milliseconds()))
	w.int32(1) // at least one byte
	w.int32(int32(limit))
	w.int8(0)   // with records of open transactions, as kafka-go does
	w.int32(0)  // no session
	w.int32(-1) //
	w.int32(1)  // topic
	w.string(at.topic)
	w.int32(1) // partition
	w.int32(int32(at.partition))
	w.int32(-1) // leader's epoch
	w.int64(offset)
	w.int64(-1) // of followers
	w.int32(int32(limit))
	w.int32(0) // nothing forgotten
	r, err := c.do(ctx, req, wait)
	if err != nil {
		return fetched{}, err
	}
	out, err := parseFetch(r)
	return out, c.inWords(asked, req.broker, err)
}

func parseFetch(r *wireReader) (out fetched, err error) {
	r.int32() // throttle
	code := r.int16()
	r.int32() // session
	if r.count(1) != 1 {
		r.take(-1)
	}
	r.string()
	if r.count(1) != 1 {
		r.take(-1)
	}
	r.int32() // partition
	if own := r.int16(); code == 0 {
		code = own
	}
	out.next = r.int64()
	r.int64() // last stable
	out.first = r.int64()
	for range r.count(16) { // aborted transactions
		r.int64()
		r.int64()
	}
	out.batches = r.bytes()
	if code != 0 {
		return out, kafkaError(code)
	}
	return out, r.err
}
