// Package topics defines Frostwatch's Kafka topics for everyone who reads or
// writes them: their names, keys and retention, and how each record is encoded. It
// does no I/O.
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
	Alerts     Topic = "alerts"      // key camera, or rule if it counts cameras: Alert, CloudEvents JSON
	OpenAlerts Topic = "open-alerts" // key camera/rule: the Alert that is open now, compacted
	Watched    Topic = "watched"     // key camera/rule: WatchedLabels, JSON, compacted
	Sightings  Topic = "sightings"   // key rule: Sighting, JSON
	Thresholds Topic = "thresholds"  // key camera/rule: Threshold, JSON, compacted
	Marks      Topic = "marks"       // key alert id: Mark, JSON, compacted
	Verdicts   Topic = "verdicts"    // key alert id: Verdict, JSON, compacted, and deleted after 90 days
	Silences   Topic = "silences"    // key silence id: Silence; key ProfileKey: Profile; JSON, compacted
	Withheld   Topic = "withheld"    // key receiver/alert id: Withheld, JSON, compacted
	Status     Topic = "status"      // key camera: StreamStatus, JSON, compacted
	Workers    Topic = "workers"     // key worker: Worker, JSON, compacted
	Evidence   Topic = "evidence"    // key alert id: the Clip that raised it
	DeadLetter Topic = "dead-letter" // original key: a record that could not be used, unchanged
)

// DefaultPrefix begins every topic's name unless configured otherwise.
const DefaultPrefix = "frostwatch."

// MaxRecordBytes bounds one record; the broker refuses larger ones. The eight JPEG
// frames of a clip are far smaller at the default settings.
const MaxRecordBytes = 4 << 20

// Names gives topics and consumer groups their names on the broker.
type Names struct{ Prefix string }

// Of is the full name of t.
func (n Names) Of(t Topic) string { return n.Prefix + string(t) }

// Group is the full name of a consumer group. It has the prefix unless that is the
// default one: two installations on one cluster must not be in the same group.
func (n Names) Group(name string) string {
	if n.Prefix == DefaultPrefix {
		return name
	}
	return n.Prefix + name
}

// Spec says how a topic is created if it does not exist.
type Spec struct {
	Topic      Topic
	Partitions int               // all records of a key are in one, in order
	Config     map[string]string // Kafka topic configuration
}

// Specs are the settings of every topic. All have the same number of partitions,
// so that a camera's clips, actions and alerts are in the partition of the same
// number, and a stage can rebuild its state from its own partitions. The broker
// sets the records' times, so that ages do not depend on other machines' clocks.
// With acks=all, an acknowledged record is on a majority of its replicas.
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
	verdicts := table(Verdicts) // there is one for each alert, and it is of no use without it
	verdicts.Config["cleanup.policy"] = "compact,delete"
	verdicts.Config["retention.ms"] = strconv.FormatInt((90 * day).Milliseconds(), 10)
	return []Spec{
		table(Cameras),
		keep(Clips, day),
		keep(Actions, 30*day),
		keep(Alerts, 90*day),
		table(OpenAlerts),
		table(Watched),
		keep(Sightings, day),
		table(Thresholds),
		table(Marks),
		verdicts,
		table(Silences),
		table(Withheld),
		table(Status),
		table(Workers),
		keep(Evidence, 90*day),
		keep(DeadLetter, 14*day),
	}
}

// ClipID is the id of a window. Repeated work gives the same id, because it
// depends only on the camera, the stream epoch and the start of the window.
func ClipID(camera string, epoch time.Time, start time.Duration) string {
	return fmt.Sprintf("%s-%d-%d", camera, epoch.UnixMilli(), start.Milliseconds())
}

// AlertID is the id of an alert: its rule and the first clip that counted towards
// it, whose id contains the camera.
func AlertID(rule, onsetClip string) string { return rule + "/" + onsetClip }

// StreamAlertID is the id of an alert about a camera's stream: its rule, camera and
// fault, and since when the fault has been there.
func StreamAlertID(rule, camera, fault string, since time.Time) string {
	return fmt.Sprintf("%s/%s-%s-%d", rule, camera, fault, since.UnixMilli())
}
