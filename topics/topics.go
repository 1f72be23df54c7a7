// Package topics is the contract with everyone who reads or writes
// Frostwatch's Kafka topics: their names, keys, retention and the codecs of
// every record. It does no I/O.
package topics

import (
	"fmt"
	"strconv"
	"time"
)

// Topic is a topic's name without the configured prefix.
type Topic string

// The topics, in the order in which data passes through them.
const (
	Cameras    Topic = "cameras"     // key camera: Camera, JSON, compacted
	Clips      Topic = "clips"       // key camera: Clip, Protobuf
	Actions    Topic = "actions"     // key camera: Recognition, CloudEvents JSON
	Alerts     Topic = "alerts"      // key camera: Alert, CloudEvents JSON
	OpenAlerts Topic = "open-alerts" // key camera/rule: the Alert that is open now, compacted
	Status     Topic = "status"      // key camera: StreamStatus, JSON, compacted
	Workers    Topic = "workers"     // key worker: Worker, JSON, compacted
	Evidence   Topic = "evidence"    // key alert id: the Clip that raised it
	DeadLetter Topic = "dead-letter" // original key: an unreadable record as it was
)

// DefaultPrefix stands before every topic's name unless configured otherwise.
const DefaultPrefix = "frostwatch."

// MaxRecordBytes bounds one record: eight whole-width JPEG frames stay far
// below it, and a broker refuses what is above.
const MaxRecordBytes = 4 << 20

// Names resolves topics to their names on the broker.
type Names struct{ Prefix string }

// Of is the full name of t.
func (n Names) Of(t Topic) string { return n.Prefix + string(t) }

// Group is the full name of a consumer group. Where the prefix is not the usual
// one, groups have it too: two installations on one cluster must not share their
// workers out among each other.
func (n Names) Group(name string) string {
	if n.Prefix == DefaultPrefix {
		return name
	}
	return n.Prefix + name
}

// Spec says how a topic is created when it is absent.
type Spec struct {
	Topic      Topic
	Partitions int               // ordered per key within one
	Config     map[string]string // Kafka topic configuration
}

// Specs are the settings of every topic. All have the same number of partitions,
// so that one camera's clips, actions and alerts share a partition number and a
// stage can rebuild its state from its own partitions alone. Times are those of
// the broker, so that ages do not hang on two machines' clocks; an acknowledged
// record is on a majority of its replicas.
func Specs(partitions, replication int) []Spec {
	const day = 24 * time.Hour
	spec := func(t Topic, config map[string]string) Spec {
		config["message.timestamp.type"] = "LogAppendTime"
		config["min.insync.replicas"] = strconv.Itoa(replication/2 + 1)
		return Spec{Topic: t, Partitions: partitions, Config: config}
	}
	keep := func(t Topic, d time.Duration) Spec {
		return spec(t, map[string]string{
			"cleanup.policy":    "delete",
			"retention.ms":      strconv.FormatInt(d.Milliseconds(), 10),
			"max.message.bytes": strconv.Itoa(MaxRecordBytes),
		})
	}
	table := func(t Topic) Spec { return spec(t, map[string]string{"cleanup.policy": "compact"}) }
	return []Spec{
		table(Cameras),
		keep(Clips, day),
		keep(Actions, 30*day),
		keep(Alerts, 90*day),
		table(OpenAlerts),
		table(Status),
		table(Workers),
		keep(Evidence, 90*day),
		keep(DeadLetter, 14*day),
	}
}

// ClipID names a window: the same camera, stream epoch and window start give
// the same id however often the work is repeated.
func ClipID(camera string, epoch time.Time, start time.Duration) string {
	return fmt.Sprintf("%s-%d-%d", camera, epoch.UnixMilli(), start.Milliseconds())
}

// AlertID names an alert by its rule and the clip at whose time it began; a
// clip id already names the camera.
func AlertID(rule, onsetClip string) string { return rule + "/" + onsetClip }
