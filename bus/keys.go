package bus

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// partitionOfKey is the Java client's default partitioner.
func partitionOfKey(key []byte, n int) int {
	return int((murmur2(key) & 0x7fffffff) % uint32(n))
}

// murmur2 is the hash of Kafka's own clients.
func murmur2(b []byte) uint32 {
	const m, r = 0x5bd1e995, 24
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * m
		h = h*m ^ (k^k>>r)*m
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(b[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// keyCheck notices records of producers that choose partitions in another way than
// ours. The state of a camera is lost if its records are not all in one partition.
type keyCheck struct {
	client *Client
	group  string
	at     place
	of     int // partitions of the topic
	warned time.Time
}

func (k *keyCheck) see(ctx context.Context, m Message) {
	if len(m.Key) == 0 || k.of == 0 || partitionOfKey(m.Key, k.of) == k.at.partition {
		return
	}
	k.client.metrics.misplaced.Add(ctx, 1, ofPlace(k.group, k.at))
	if time.Since(k.warned) < time.Hour {
		return
	}
	k.warned = time.Now()
	k.client.Logger.WarnContext(ctx, "kafka: a record is not in the partition of its key: its producer must partition by murmur2 (librdkafka: partitioner=murmur2_random)",
		"topic", k.at.topic, "key", topics.Clean(string(m.Key)), "partition", k.at.partition, "want", partitionOfKey(m.Key, k.of), "offset", m.Offset)
}
