package bus

import (
	"errors"

	"github.com/segmentio/kafka-go"
)

// RecordRefused is whether it is a record itself that is never taken, as one that
// is too large: its sender goes on without it. Another Permanent error is about
// what this worker may do, and concerns all it sends.
func RecordRefused(err error) bool {
	var large kafka.MessageTooLargeError
	return errors.As(err, &large) || errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.InvalidRecord)
}
