package topics

import (
	"strconv"
	"testing"
)

// An acknowledged record survives the loss of any minority of its replicas, and its
// time is the broker's.
func TestEveryTopicIsKeptByAMajority(t *testing.T) {
	for replicas, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		for _, s := range Specs(12, replicas) {
			if s.Config["min.insync.replicas"] != strconv.Itoa(want) || s.Config["message.timestamp.type"] != "LogAppendTime" || s.Partitions != 12 {
				t.Errorf("%s with %d replicas: %d partitions, %v", s.Topic, replicas, s.Partitions, s.Config)
			}
		}
	}
}
