package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// callTime bounds one request to a broker, beyond what the broker is asked to
// wait.
const callTime = 5 * time.Second

// anyBroker is the id of no broker in particular.
const anyBroker = -1

// call is a request that is encoded here and sent over kafka-go's connections. It
// replaces those of kafka-go's requests that don't work for us: a fetch drops the
// broker's timestamps of records, a heartbeat goes to any broker, and requests of
// groups are malformed in the newest versions.
type call struct {
	api     protocol.ApiKey
	version int16  // one without tagged fields
	asked   string // what the request is for, in words for errors
	client  string
	body    wire
	route   func(protocol.Cluster) (int32, error)

	broker string // host:port that it is sent to; empty: any
	answer []byte
}

// ApiKey is kafka-go's interface of requests.
func (c *call) ApiKey() protocol.ApiKey { return c.api } //nolint:revive // its name

// Broker returns to kafka-go the broker that the request goes to.
func (c *call) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	id, err := c.route(cluster)
	if b, ok := cluster.Brokers[id]; ok && err == nil {
		c.broker = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return protocol.Broker{ID: id}, err
}

// Required makes kafka-go leave encoding and decoding to RawExchange.
func (c *call) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the request and reads its answer.
func (c *call) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	const correlation = 1 // a connection carries one request at a time
	var head wire
	head.int32(0)
	head.int16(int16(c.api))
	head.int16(c.version)
	head.int32(correlation)
	head.string(c.client)
	head = append(head, c.body...)
	binary.BigEndian.PutUint32(head, uint32(len(head)-4))
	if _, err := rw.Write(head); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxAnswer {
		return nil, fmt.Errorf("kafka: an answer of %d bytes", n)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(rw, answer); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(answer) != correlation {
		return nil, errors.New("kafka: the answer is of another request")
	}
	return &call{api: c.api, answer: answer[4:]}, nil
}

// maxAnswer bounds the memory of one answer, whatever length a server sends.
const maxAnswer = 64 << 20 // bytes

// do sends a request and waits for its answer at most for callTime and what the
// broker is asked to wait.
func (c *Client) do(ctx context.Context, req *call, broker time.Duration) (*wireReader, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime+broker)
	defer cancel()
	req.client = c.ClientID
	answer, err := c.transport.RoundTrip(ctx, c.address, req)
	if err != nil {
		return nil, c.inWords(req.asked, req.broker, err)
	}
	return &wireReader{b: answer.(*call).answer}, nil
}

func toAny(protocol.Cluster) (int32, error) { return anyBroker, nil }

func toBroker(id int32) func(protocol.Cluster) (int32, error) {
	return func(protocol.Cluster) (int32, error) { return id, nil }
}

// toLeader routes to the leader of a partition.
func toLeader(at place) func(protocol.Cluster) (int32, error) {
	return func(cluster protocol.Cluster) (int32, error) {
		p, ok := cluster.Topics[at.topic].Partitions[int32(at.partition)]
		if !ok {
			return 0, kafka.UnknownTopicOrPartition
		}
		if _, ok := cluster.Brokers[p.Leader]; !ok {
			return 0, kafka.LeaderNotAvailable
		}
		return p.Leader, nil
	}
}

// kafkaError is nil for code 0. It is not in words yet.
func kafkaError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}
