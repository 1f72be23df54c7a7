package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// callTime bounds one request to a broker, beyond what the broker is asked to
// wait.
const callTime = 5 * time.Second

// anyBroker is the id of no broker in particular.
const anyBroker = -1

// call is a request whose bytes are ours, sent over kafka-go's connections. It is
// there for what kafka-go's own requests get wrong: a fetch forgets the broker's
// times of records, a heartbeat goes to any broker, and those of groups are
// malformed in the newest versions.
type call struct {
	api     protocol.ApiKey
	version int16 // not of those with tagged fields
	client  string
	body    wire
	route   func(protocol.Cluster) (int32, error)

	answer []byte
}

// ApiKey is kafka-go's interface of requests.
func (c *call) ApiKey() protocol.ApiKey { return c.api } //nolint:revive // its name

// Broker returns to kafka-go the broker that the request goes to.
func (c *call) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	id, err := c.route(cluster)
	return protocol.Broker{ID: id}, err
}

// Required makes kafka-go leave the encoding to RawExchange.
func (c *call) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the request and reads its answer.
func (c *call) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	const correlation = 1 // a connection has one request at a time
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

// maxAnswer bounds what a broken or wrong server can have us allocate.
const maxAnswer = 64 << 20 // bytes

// do sends a request and waits for its answer at most for callTime and what the
// broker is asked to wait.
func (c *Client) do(ctx context.Context, req *call, broker time.Duration) (*unwire, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime+broker)
	defer cancel()
	req.client = c.ClientID
	answer, err := c.transport.RoundTrip(ctx, c.address, req)
	if err != nil {
		return nil, fmt.Errorf("kafka: %s: %w", req.api, err)
	}
	return &unwire{b: answer.(*call).answer}, nil
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
			return 0, fmt.Errorf("%s/%d: %w", at.topic, at.partition, kafka.UnknownTopicOrPartition)
		}
		if _, ok := cluster.Brokers[p.Leader]; !ok {
			return 0, fmt.Errorf("%s/%d: %w", at.topic, at.partition, kafka.LeaderNotAvailable)
		}
		return p.Leader, nil
	}
}

// kafkaError is nil for code 0.
func kafkaError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}
