package bus

import (
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// maxReason bounds the reason in a dead letter: an error may quote the record,
// and the letter must not be much larger than the record was.
const maxReason = 500 // bytes

// DeadLetter is the record that keeps one that a stage can't read: key, value
// and headers as they were, and headers that tell why and from where. It is some
// 700 bytes larger than the record, so that sending it may be refused for good
// (see Permanent).
func (m Message) DeadLetter(topic, stage string, why error) Message {
	add := func(key, value string) Header { return Header{Key: key, Value: []byte(value)} }
	return Message{
		Topic: topic, Key: m.Key, Value: m.Value,
		Headers: append(m.Headers[:len(m.Headers):len(m.Headers)],
			add(topics.HeaderReason, shorten(why.Error())),
			add(topics.HeaderStage, stage),
			add(topics.HeaderTopic, m.Topic),
			add(topics.HeaderPartition, strconv.Itoa(m.Partition)),
			add(topics.HeaderOffset, strconv.FormatInt(m.Offset, 10))),
	}
}

// shorten makes text one line of valid UTF-8 of at most maxReason bytes. It cuts
// first: the text may be as large as a record.
func shorten(text string) string {
	const cut = "…"
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason-len(cut)], "") + cut
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
}

// Permanent is whether a call fails the same however often it is repeated: a
// record that is too large, or what the broker does not allow. The client itself
// repeats what is not.
func Permanent(err error) bool { return err != nil && permanent(err) }
