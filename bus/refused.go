package bus

import (
	"errors"

	"github.com/segmentio/kafka-go"
)

// RecordRefused is whether Kafka refuses this one record for good, for example
// because it is too large: its sender continues without it. Any other Permanent
// error is about what this worker may do, and so about everything it sends.
func RecordRefused(err error) bool {
	var large kafka.MessageTooLargeError
	return errors.As(err, &large) || errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.InvalidRecord)
}
