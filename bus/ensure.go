package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
)

// TopicSpec is a topic as it should be.
type TopicSpec struct {
	Name        string
	Partitions  int
	Replication int
	Config      map[string]string // cleanup.policy, retention.ms, ...
}

// Ensure creates the topics that are absent. One that exists is left as it is:
// where it differs, a warning names both values. It waits for a broker that is
// away.
func (c *Client) Ensure(ctx context.Context, specs []TopicSpec) error {
	existing := map[string]bool{}
	if err := c.retry(ctx, "create topics", func() error { return c.create(ctx, specs, existing) }); err != nil {
		return err
	}
	var old []TopicSpec
	for _, s := range specs {
		if existing[s.Name] {
			old = append(old, s)
		}
	}
	if err := c.retry(ctx, "compare topics", func() error { return c.compare(ctx, old) }); err != nil {
		return err
	}
	return c.retry(ctx, "wait for topics", func() error { return c.visible(ctx, specs) })
}

func (c *Client) create(ctx context.Context, specs []TopicSpec, existing map[string]bool) error {
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
		return fmt.Errorf("create topics: %w", err)
	}
	for name, err := range resp.Errors {
		switch {
		case err == nil:
		case errors.Is(err, kafka.TopicAlreadyExists):
			existing[name] = true
		default:
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	return nil
}

// compare warns of every difference and changes nothing.
func (c *Client) compare(ctx context.Context, specs []TopicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	for _, s := range specs {
		have, err := c.Partitions(ctx, s.Name)
		if err != nil {
			return err
		}
		if have != s.Partitions {
			c.Logger.WarnContext(ctx, "kafka: topic differs, left as it is", "topic", s.Name, "setting", "partitions", "have", have, "want", s.Partitions)
		}
	}
	req := &kafka.DescribeConfigsRequest{}
	for _, s := range specs {
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: s.Name})
	}
	resp, err := c.client.DescribeConfigs(ctx, req)
	if err != nil {
		return fmt.Errorf("describe topics: %w", err)
	}
	for _, r := range resp.Resources {
		i := slices.IndexFunc(specs, func(s TopicSpec) bool { return s.Name == r.ResourceName })
		if i < 0 {
			continue
		}
		for _, e := range r.ConfigEntries {
			if want, ok := specs[i].Config[e.ConfigName]; ok && want != e.ConfigValue {
				c.Logger.WarnContext(ctx, "kafka: topic differs, left as it is", "topic", r.ResourceName, "setting", e.ConfigName, "have", e.ConfigValue, "want", want)
			}
		}
	}
	return nil
}

// visible waits until metadata shows the new topics: a write before that fails
// at once.
func (c *Client) visible(ctx context.Context, specs []TopicSpec) error {
	for _, s := range specs {
		if _, err := c.Partitions(ctx, s.Name); err != nil {
			return err
		}
	}
	return nil
}

// Partitions is how many partitions the topic has.
func (c *Client) Partitions(ctx context.Context, topic string) (int, error) {
	resp, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, fmt.Errorf("look up topic %s: %w", topic, err)
	}
	for _, t := range resp.Topics {
		if t.Name == topic && t.Error == nil && len(t.Partitions) > 0 {
			return len(t.Partitions), nil
		}
		if t.Name == topic && t.Error != nil {
			return 0, fmt.Errorf("look up topic %s: %w", topic, t.Error)
		}
	}
	return 0, fmt.Errorf("look up topic %s: %w", topic, kafka.UnknownTopicOrPartition)
}
