package process

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// incident is the newest of a series of a part's incidents that lie less than
// telemetry.IncidentTime apart.
type incident struct {
	err         error
	first, last time.Time
	n           int
}

// Incident is that of telemetry.Reporter.
func (r *reporter) Incident(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	i, ok := r.recent[part]
	if !ok || now.Sub(i.last) > telemetry.IncidentTime {
		i = incident{first: now}
		r.notify() // of later ones only the number differs
	}
	i.err, i.last = err, now
	i.n++
	r.recent[part] = i
}

// list adds the incidents to the warnings, and forgets those that are over. It needs
// the lock.
func (r *reporter) list(warnings map[string]string) {
	for part, i := range r.recent {
		if r.now().Sub(i.last) > telemetry.IncidentTime {
			delete(r.recent, part)
			continue
		}
		text := i.err.Error()
		if i.n > 1 {
			text = fmt.Sprintf("%s (the newest of %d since %s)", text, i.n, i.first.UTC().Format("15:04:05 UTC"))
		}
		warnings[part] = topics.Clean(text)
	}
}
