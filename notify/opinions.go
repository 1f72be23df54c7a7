package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// opinions are what second opinions have said, as of the table of verdicts. One asker for
// each partition of alerts fills it (asker.go), whichever worker that is; the deliveries
// of all receivers wait for it, and no longer than until an alert has reached an age.
type opinions struct {
	mu       sync.Mutex
	verifier *Verifier     // nil: nobody is asked
	replaced chan struct{} // closed when the verifier is
	byAlert  map[string]topics.Verdict
	inOrder  []string      // the alerts of byAlert, the one heard of first first
	changed  chan struct{} // closed when there is something new
	broken   error         // why the table can't be read
	read     chan struct{} // closed once the table has been read, or can't be
	wasRead  sync.Once
}

// maxOpinions bounds the verdicts that are remembered: those that were heard of last.
const maxOpinions = 20_000

func newOpinions(v *Verifier) *opinions {
	return &opinions{verifier: v, replaced: make(chan struct{}), byAlert: map[string]topics.Verdict{}, changed: make(chan struct{}), read: make(chan struct{})}
}

// SetVerifier replaces whom is asked for second opinions, before Run or while it runs;
// nil: nobody.
func (s *Stage) SetVerifier(v *Verifier) {
	o := s.opinions
	o.mu.Lock()
	defer o.mu.Unlock()
	o.verifier = v
	close(o.replaced)
	o.replaced = make(chan struct{})
}

func (o *opinions) current() (v *Verifier, replaced <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.verifier, o.replaced
}

// of is what is said of an alert.
func (o *opinions) of(alert string) (v topics.Verdict, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, known = o.byAlert[alert]
	return v, known
}

// note takes a verdict. The first on an alert counts: people may have been told.
func (o *opinions) note(v topics.Verdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.byAlert[v.Alert]; known {
		return
	}
	if len(o.inOrder) >= maxOpinions {
		delete(o.byAlert, o.inOrder[0])
		o.inOrder = o.inOrder[1:]
	}
	o.byAlert[v.Alert], o.inOrder = v, append(o.inOrder, v.Alert)
	close(o.changed)
	o.changed = make(chan struct{})
}

// take takes a record of the table.
func (o *opinions) take(m bus.Message) error {
	if len(m.Value) == 0 {
		return nil
	}
	v, err := topics.DecodeVerdict(m.Value)
	if err == nil && v.Alert != string(m.Key) {
		err = fmt.Errorf("the verdict of key %.80q is on the alert %.80q", m.Key, v.Alert)
	}
	if err == nil {
		o.note(v)
	}
	return err
}

// settled notes that the table was read, or why it can't be.
func (o *opinions) settled(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = err
	close(o.changed)
	o.changed = make(chan struct{})
	o.wasRead.Do(func() { close(o.read) })
}

// await waits for what is said of an alert, at most so long; known is false where it has
// waited in vain.
func (o *opinions) await(ctx context.Context, alert string, most time.Duration) (v topics.Verdict, known bool, err error) {
	t := time.NewTimer(max(most, 0))
	defer t.Stop()
	for {
		o.mu.Lock()
		v, known := o.byAlert[alert]
		changed, broken := o.changed, o.broken
		o.mu.Unlock()
		if known || broken != nil {
			return v, known, nil
		}
		select {
		case <-ctx.Done():
			return v, false, ctx.Err()
		case <-t.C:
			return v, false, nil
		case <-changed:
		}
	}
}

// followVerdicts reads the table from when somebody is asked until ctx ends.
func (s *Stage) followVerdicts(ctx context.Context) {
	const part = "verdicts"
	for {
		v, replaced := s.opinions.current()
		if v != nil {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-replaced:
		}
	}
	defer s.Reporter.Warning(part, nil)
	s.Bus.Table(s.Names.Of(topics.Verdicts)).Keep(ctx, func(m bus.Message) error {
		err := s.opinions.take(m)
		s.open.wake()
		return err
	}, func(err error) {
		s.opinions.settled(err)
		if err != nil {
			err = fmt.Errorf("read the verdicts of second opinions: %w; alerts are delivered without them", err)
		}
		s.Reporter.Warning(part, err)
	})
}

// awaitVerdicts returns once the verdicts of the past are known, or can't be, or ctx has
// ended: what is held back stays so after a restart.
func (s *Stage) awaitVerdicts(ctx context.Context) {
	if v, _ := s.opinions.current(); v == nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-s.opinions.read:
	}
}
