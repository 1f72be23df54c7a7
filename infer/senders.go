package infer

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

const (
	// maxSenders bounds the cameras that a lease remembers, because anyone may
	// write records with new names.
	maxSenders = 10_000
	// sureFor is how long after a camera's newest clip a lower generation means an
	// overtaken sender: many strides, since a sender that was paused sends while the
	// other one does. After that the senders' consumer group may have been deleted, so
	// that generations start from one again; and a forged generation blinds a camera
	// for no longer.
	sureFor = time.Minute
)

// senders holds, for each camera of a partition, the highest generation under
// which its clips were sent. A worker that was paused and woke up again may send
// clips of cameras that another worker has by now; their generation is lower.
type senders map[string]sender

type sender struct {
	generation int
	at         time.Time // time of the newest record with this generation
}

func newSenders() senders { return senders{} }

// overtaken reports whether a record of a camera has a lower generation than an
// earlier one. A record without a possible generation never is.
func (s senders) overtaken(camera string, m bus.Message) bool {
	generation, ok := bus.GenerationOf(m)
	if !ok {
		return false
	}
	last, known := s[camera]
	if known && generation < last.generation && m.Time.Sub(last.at) < sureFor {
		return true
	}
	if !known && len(s) >= maxSenders {
		clear(s)
	}
	s[camera] = sender{generation, m.Time}
	return false
}
