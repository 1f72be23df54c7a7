package kafkatest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// Cluster is a real Kafka of several nodes, each of them broker and controller. It
// ends with the test.
type Cluster struct {
	Nodes []*Kafka
}

// StartCluster starts a cluster of n nodes and waits until each knows all. It needs
// java and mvn as StartKafka does, and some 350 MB of memory for each node.
func StartCluster(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{Nodes: make([]*Kafka, n)}
	voters := make([]string, n)
	for i := range c.Nodes {
		c.Nodes[i] = prepare(t)
		c.Nodes[i].heap = "-Xmx256m"
		voters[i] = fmt.Sprintf("%d@127.0.0.1:%d", i+1, c.Nodes[i].controller)
	}
	var formatting errgroup.Group
	for i, k := range c.Nodes {
		formatting.Go(func() error {
			return k.configure(fmt.Sprintf(commonProperties, k.port, k.controller, k.dir) +
				fmt.Sprintf(clusterProperties, i+1, strings.Join(voters, ","), n))
		})
	}
	if err := formatting.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, k := range c.Nodes {
		k.launch(t)
		// Not SIGTERM: the last node of a cluster waits for a majority to leave it.
		t.Cleanup(func() { k.Kill(t) })
	}
	for _, k := range c.Nodes {
		k.await(t, n)
	}
	return c
}

// Coordinator is the index of the node that coordinates a consumer group.
func (c *Cluster) Coordinator(t testing.TB, group string) int {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.Addrs()...), Transport: transport, Timeout: 10 * time.Second}
	resp, err := client.FindCoordinator(t.Context(), &kafka.FindCoordinatorRequest{Key: group, KeyType: kafka.CoordinatorKeyTypeConsumer})
	if err == nil {
		err = resp.Error
	}
	if err != nil {
		t.Fatal(err)
	}
	return resp.Coordinator.NodeID - 1
}

// Addrs are the addresses of all nodes.
func (c *Cluster) Addrs() []string {
	out := make([]string, len(c.Nodes))
	for i, k := range c.Nodes {
		out[i] = k.Addr()
	}
	return out
}

// A node that is lost is noticed within seconds; the log cleaner does with less than
// its usual 128 MB. If a key occurs twice, the last
// one counts.
const clusterProperties = `node.id=%[1]d
controller.quorum.voters=%[2]s
controller.quorum.fetch.timeout.ms=2000
controller.quorum.election.timeout.ms=1000
replica.lag.time.max.ms=3000
offsets.topic.replication.factor=%[3]d
log.cleaner.dedupe.buffer.size=4194304
`
