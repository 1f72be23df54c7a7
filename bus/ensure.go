package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/frostwatch/frostwatch/topics"
)

// TopicSpec is a topic as it should be.
type TopicSpec struct {
	Name        string
	Partitions  int
	Replication int
	Config      map[string]string // cleanup.policy, retention.ms, ...
}

// TopicSpecs are the specs of all of Frostwatch's topics.
func TopicSpecs(n topics.Names, partitions, replication int) (specs []TopicSpec) {
	for _, s := range topics.Specs(partitions, replication) {
		specs = append(specs, TopicSpec{Name: n.Of(s.Topic), Partitions: s.Partitions, Replication: replication, Config: s.Config})
	}
	return specs
}

// Ensure creates the topics that don't exist; if all do, it needs no permission to
// create any. An existing topic is left as it is: for each difference, a warning
// names both values. It waits while the broker is away.
func (c *Client) Ensure(ctx context.Context, specs []TopicSpec) error {
	var existing []TopicSpec
	var brokers int
	err := c.retry(ctx, "create topics", func() (err error) {
		existing, brokers, err = c.existing(ctx, specs)
		if err != nil {
			return err
		}
		absent := slices.DeleteFunc(slices.Clone(specs), func(s TopicSpec) bool {
			return slices.ContainsFunc(existing, func(e TopicSpec) bool { return e.Name == s.Name })
		})
		if err := enough(absent, brokers); err != nil { // more may be starting
			return err
		}
		return c.create(ctx, absent)
	})
	if err != nil {
		return err
	}
	if err := c.retry(ctx, "compare topics", func() error { return c.compare(ctx, existing) }); err != nil {
		if !permanent(err) {
			return err
		}
		c.Logger.WarnContext(ctx, "kafka: the settings of topics can't be compared", "error", err)
	}
	return c.retry(ctx, "wait for topics", func() error { return c.visible(ctx, specs) })
}

// existing returns the topics that exist, and how many brokers there are.
func (c *Client) existing(ctx context.Context, specs []TopicSpec) (out []TopicSpec, brokers int, err error) {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	found, brokers, err := c.metadata(ctx, names)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range specs {
		switch err := found[s.Name].err; {
		case err == nil:
			out = append(out, s)
		case !errors.Is(err, kafka.UnknownTopicOrPartition):
			return nil, 0, c.inWords("look up topic "+s.Name, "", err)
		}
	}
	return out, brokers, nil
}

// enough returns an error if there are too few brokers for the replicas of topics
// that are to be created.
func enough(specs []TopicSpec, brokers int) error {
	for _, s := range specs {
		if s.Replication > brokers {
			return fmt.Errorf("topic %s is to have %d replicas, but there are only %d brokers: start more, or lower kafka.replication", s.Name, s.Replication, brokers)
		}
	}
	return nil
}

func (c *Client) create(ctx context.Context, specs []TopicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	req := &kafka.CreateTopicsRequest{}
	for _, s := range specs {
		t := kafka.TopicConfig{Topic: s.Name, NumPartitions: s.Partitions, ReplicationFactor: s.Replication}
		for k, v := range s.Config {
			t.ConfigEntries = append(t.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := c.client.CreateTopics(ctx, req)
	if err != nil {
		return c.inWords("create topics", "", err)
	}
	for name, err := range resp.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) { // another worker was faster
			return c.inWords("create topic "+name, "", err)
		}
	}
	return nil
}

// Difference is a setting of a topic that is not as it should be.
type Difference struct{ Topic, Setting, Have, Want, Note string }

// Compare returns which topics don't exist, and how those that do differ from their specs.
func (c *Client) Compare(ctx context.Context, specs []TopicSpec) (absent []string, out []Difference, err error) {
	existing, _, err := c.existing(ctx, specs)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range specs {
		if !slices.ContainsFunc(existing, func(e TopicSpec) bool { return e.Name == s.Name }) {
			absent = append(absent, s.Name)
		}
	}
	out, err = c.differences(ctx, existing)
	return absent, out, err
}

// compare logs a warning for each difference.
func (c *Client) compare(ctx context.Context, specs []TopicSpec) error {
	found, err := c.differences(ctx, specs)
	for _, d := range found {
		attrs := []any{"topic", d.Topic, "setting", d.Setting, "have", d.Have, "want", d.Want}
		if d.Note != "" {
			attrs = append(attrs, "note", d.Note)
		}
		c.Logger.WarnContext(ctx, "kafka: an existing topic differs from the configuration and is left as it is", attrs...)
	}
	return err
}

// differences compares topics that exist.
func (c *Client) differences(ctx context.Context, specs []TopicSpec) (out []Difference, err error) {
	if len(specs) == 0 {
		return nil, nil
	}
	names := make([]string, len(specs))
	req := &kafka.DescribeConfigsRequest{}
	for i, s := range specs {
		names[i] = s.Name
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: s.Name})
	}
	found, brokers, err := c.metadata(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, s := range specs {
		out = append(out, found[s.Name].differs(s, brokers)...)
	}
	resp, err := c.client.DescribeConfigs(ctx, req)
	if err != nil {
		return out, c.inWords("look up the settings of topics", "", err)
	}
	for _, r := range resp.Resources {
		if r.Error != nil {
			return out, c.inWords("look up the settings of topic "+r.ResourceName, "", r.Error)
		}
		if i := slices.IndexFunc(specs, func(s TopicSpec) bool { return s.Name == r.ResourceName }); i >= 0 {
			out = append(out, specs[i].settings(r.ConfigEntries)...)
		}
	}
	return out, nil
}

// differs compares a topic's partitions and replicas.
func (have topicShape) differs(want TopicSpec, brokers int) (out []Difference) {
	if have.partitions != want.Partitions {
		out = append(out, Difference{Topic: want.Name, Setting: "partitions", Have: fmt.Sprint(have.partitions), Want: fmt.Sprint(want.Partitions)})
	}
	if have.replicas != want.Replication {
		out = append(out, Difference{Topic: want.Name, Setting: "replicas", Have: fmt.Sprint(have.replicas), Want: fmt.Sprint(want.Replication)})
	}
	if have.replicas > brokers {
		out = append(out, Difference{Topic: want.Name, Setting: "brokers", Have: fmt.Sprint(brokers), Want: fmt.Sprint(have.replicas), Note: "there are fewer brokers than the topic has replicas"})
	}
	return out
}

// settings compares what the broker has for the topic.
func (s TopicSpec) settings(have []kafka.DescribeConfigResponseConfigEntry) (out []Difference) {
	for _, e := range have {
		want, ok := s.Config[e.ConfigName]
		if !ok || want == e.ConfigValue {
			continue
		}
		d := Difference{Topic: s.Name, Setting: e.ConfigName, Have: e.ConfigValue, Want: want}
		if e.ConfigName == "message.timestamp.type" {
			d.Note = "ages depend on the senders' clocks"
		}
		out = append(out, d)
	}
	return out
}

// visible returns an error while kafka-go does not know the new topics: sending to
// them would fail.
func (c *Client) visible(ctx context.Context, specs []TopicSpec) error {
	for _, s := range specs {
		if _, err := c.cached(ctx, s.Name); err != nil {
			return err
		}
	}
	return nil
}

// Partitions returns how many partitions the topic has.
func (c *Client) Partitions(ctx context.Context, topic string) (int, error) {
	n, err := c.cached(ctx, topic)
	if !errors.Is(err, kafka.UnknownTopicOrPartition) {
		return n, err
	}
	// kafka-go asks for all topics, and so gets none that is denied: ask by name.
	found, _, err := c.metadata(ctx, []string{topic})
	if err != nil {
		return 0, err
	}
	if err := found[topic].err; err != nil {
		return 0, c.inWords("look up topic "+topic, "", err)
	}
	return found[topic].partitions, nil
}

// cached returns how many partitions kafka-go believes the topic to have, as of a
// second ago at most. It finds partitions' leaders by the same metadata.
func (c *Client) cached(ctx context.Context, topic string) (int, error) {
	resp, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, c.inWords("look up topic "+topic, "", err)
	}
	for _, t := range resp.Topics {
		if t.Name == topic && t.Error == nil && len(t.Partitions) > 0 {
			return len(t.Partitions), nil
		}
		if t.Name == topic && t.Error != nil {
			return 0, c.inWords("look up topic "+topic, "", t.Error)
		}
	}
	return 0, c.inWords("look up topic "+topic, "", kafka.UnknownTopicOrPartition)
}

// topicShape is a topic's metadata.
type topicShape struct {
	partitions, replicas int
	err                  error
}

// metadata asks a broker about topics, and how many brokers there are.
func (c *Client) metadata(ctx context.Context, names []string) (found map[string]topicShape, brokers int, err error) {
	req := &call{api: protocol.Metadata, version: 4, asked: "look up topics", route: toAny}
	req.body.int32(int32(len(names)))
	for _, name := range names {
		req.body.string(name)
	}
	req.body.int8(0) // do not create any
	r, err := c.do(ctx, req, 0)
	if err != nil {
		return nil, 0, err
	}
	r.int32() // throttle
	for range r.count(11) {
		brokers++
		r.int32()  // id
		r.string() // host
		r.int32()  // port
		r.string() // rack
	}
	r.string() // cluster
	r.int32()  // controller
	found = map[string]topicShape{}
	for _, name := range names {
		found[name] = topicShape{err: kafka.UnknownTopicOrPartition}
	}
	for range r.count(9) {
		s := topicShape{err: kafkaError(r.int16())}
		name := r.string()
		r.int8() // internal
		for range r.count(18) {
			s.partitions++
			r.int16() // error
			r.int32() // id
			r.int32() // leader
			s.replicas = r.count(4)
			r.take(4 * s.replicas)
			r.take(4 * r.count(4)) // in sync
		}
		found[name] = s
	}
	return found, brokers, c.inWords("look up topics", "", r.err)
}
