package infer

import (
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// maxSenders bounds the cameras that a lease remembers: their names come from
	// records.
	maxSenders = 10_000
	// sureFor is how long after a camera's newest clip one of an older generation is
	// taken for a straggler. Later it may be that the group of its senders was
	// deleted and counts from one again.
	sureFor = 5 * time.Minute
)

// senders are the generations under which the cameras of a partition were
// published last, to know the clips of a worker that was paused and went on
// without knowing that its cameras are another's.
type senders map[string]sender

type sender struct {
	generation int64
	at         time.Time // of the newest record under it
}

func newSenders() senders { return senders{} }

// overtaken is whether a camera's record comes from a sender of an older
// generation than one before it. One without a generation never is.
func (s senders) overtaken(camera string, m bus.Message) bool {
	generation, err := strconv.ParseInt(bus.HeaderCarrier{Headers: &m.Headers}.Get(topics.HeaderGeneration), 10, 64)
	if err != nil {
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
