package bus

import (
	"strconv"

	"github.com/frostwatch/frostwatch/topics"
)

// DeadLetter is the record that keeps one that a stage can't read: key, value
// and headers as they were, and headers that tell why and from where.
func (m Message) DeadLetter(topic, stage string, why error) Message {
	add := func(key, value string) Header { return Header{Key: key, Value: []byte(value)} }
	return Message{
		Topic: topic, Key: m.Key, Value: m.Value,
		Headers: append(m.Headers[:len(m.Headers):len(m.Headers)],
			add(topics.HeaderReason, why.Error()),
			add(topics.HeaderStage, stage),
			add(topics.HeaderTopic, m.Topic),
			add(topics.HeaderPartition, strconv.Itoa(m.Partition)),
			add(topics.HeaderOffset, strconv.FormatInt(m.Offset, 10))),
	}
}
