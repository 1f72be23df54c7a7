package framer

import (
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// job is a complete clip that waits to be published.
type job struct {
	clip topics.Clip
	made time.Time
	span *span // of its epoch
}

// queue holds the newest clips of a camera that wait for Kafka. A full one drops
// the oldest: what is seen now matters more.
type queue struct {
	most  int
	ready chan struct{} // holds one, when there may be something to take

	mu   sync.Mutex
	jobs []job // oldest first
}

func newQueue(most int) *queue { return &queue{most: most, ready: make(chan struct{}, 1)} }

// push adds a clip; full is whether dropped had to make room for it.
func (q *queue) push(j job) (dropped job, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if full = len(q.jobs) == q.most; full {
		dropped = q.jobs[0]
		q.jobs[0] = job{}
		q.jobs = q.jobs[1:]
	}
	q.jobs = append(q.jobs, j)
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return dropped, full
}

// take removes the oldest clip; false where there is none.
func (q *queue) take() (j job, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		return job{}, false
	}
	j, q.jobs[0] = q.jobs[0], job{}
	q.jobs = q.jobs[1:]
	return j, true
}

// roomy is whether the next clip fits without dropping another.
func (q *queue) roomy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) < q.most
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs) == 0
}
