package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Shower is a Sender whose receiver also has a picture of what is open now, which is
// kept right whatever events were missed.
type Shower interface {
	Sender
	// Show keeps the picture right until ctx ends, and reports by the view what goes
	// wrong. It runs while events are sent, and never twice at a time.
	Show(ctx context.Context, v View)
}

// View is what a Shower gets to see.
type View struct {
	// Open are the alerts that are open, that the receiver is interested in, that have not
	// been silenced since they were raised, and whose partitions this worker holds, by id: no two
	// workers show the same alert. changed is
	// closed when there may be others. known is false while it can't be said.
	Open func() (open []Event, known bool, changed <-chan struct{})
	// Holds is whether this worker shows the alerts of a camera, or of a rule that counts
	// cameras.
	Holds func(ctx context.Context, key string) bool
	// Name is of this worker and this receiver; no other has it.
	Name   string
	Report func(error) // nil: all is well
}

// maxOpen bounds the open alerts that are known.
const maxOpen = 20_000

// openAlerts is the table of open alerts, which all Showers of a stage share.
type openAlerts struct {
	mu      sync.Mutex
	known   bool
	byKey   map[string]listed
	changed chan struct{} // closed when there is something new
}

type listed struct {
	alert     topics.Alert
	partition int
	at        time.Time // when Kafka took its record
}

func newOpenAlerts() *openAlerts {
	return &openAlerts{byKey: map[string]listed{}, changed: make(chan struct{})}
}

// take takes a record of the table; an empty one removes its key.
func (o *openAlerts) take(m bus.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := string(m.Key)
	if was, some := o.byKey[key]; some && was.partition == m.Partition {
		delete(o.byKey, key)
	}
	if len(m.Value) > 0 {
		a, err := topics.DecodeOpenAlert(m.Key, m.Value)
		switch {
		case err != nil:
			return err
		case len(o.byKey) >= maxOpen:
			return fmt.Errorf("more than %d alerts are open", maxOpen)
		}
		o.byKey[key] = listed{a, m.Partition, m.Time}
	}
	if o.known {
		o.wakeLocked()
	}
	return nil
}

// read notes that the table has been read, or why it can't be. It is then read anew.
func (o *openAlerts) read(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known = err == nil; err != nil {
		clear(o.byKey)
	}
	o.wakeLocked()
}

func (o *openAlerts) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wakeLocked()
}

func (o *openAlerts) wakeLocked() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// of are the alerts of some partitions, by id.
func (o *openAlerts) of(partitions []int) (all []listed, known bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.byKey {
		if slices.Contains(partitions, l.partition) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.alert.ID, b.alert.ID) })
	return all, o.known, o.changed
}

// followOpen keeps up with the table until ctx ends, once a receiver shows it.
func (s *Stage) followOpen(ctx context.Context) error {
	for {
		plan, changed := s.plan()
		if slices.ContainsFunc(plan.all(), func(r *receiver) bool { _, shows := r.Sender.(Shower); return shows }) {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
	s.Bus.Table(s.Names.Of(topics.OpenAlerts)).Keep(ctx, s.open.take, func(err error) {
		s.open.read(err)
		if err != nil {
			err = fmt.Errorf("receivers do not learn what is open: %w", err)
		}
		s.Reporter.Warning("open alerts", err)
	})
	return nil
}

// show runs the receiver's Shower, if it is one, and returns what waits until it has ended.
func (d *delivery) show(ctx context.Context) (wait func()) {
	shower, shows := d.Sender.(Shower)
	if !shows {
		return func() {}
	}
	part := d.part() + ", what is open"
	var running sync.WaitGroup
	running.Go(func() {
		defer d.Reporter.Warning(part, nil)
		shower.Show(ctx, View{Open: d.openNow, Holds: d.holds, Name: d.Worker + "-" + d.Name, Report: func(err error) {
			if err != nil && ctx.Err() == nil {
				err = fmt.Errorf("show %s what is open: %w", d.Name, err)
			}
			d.Reporter.Warning(part, err)
		}})
	})
	return running.Wait
}

// openNow is View.Open of the receiver.
func (d *delivery) openNow() (open []Event, known bool, changed <-chan struct{}) {
	d.mu.Lock()
	held := slices.Clone(d.held[d.Name])
	d.mu.Unlock()
	all, known, changed := d.open.of(held)
	now := d.Bus.Now()
	for _, l := range all {
		end := d.silences.end(l.alert, l.at)
		silenced := end.After(l.at) && end.After(now)
		if silenced || !d.chooses(l.alert) || !d.wants(l.alert.State) {
			continue
		}
		if said, shown := d.judgedOpen(l); shown {
			open = append(open, d.event(l.alert).judged(said))
		}
	}
	return open, known, changed
}

// holds is View.Holds of the receiver.
func (d *delivery) holds(ctx context.Context, key string) bool {
	partition, err := d.Bus.PartitionOf(ctx, d.Names.Of(topics.OpenAlerts), []byte(key))
	d.mu.Lock()
	defer d.mu.Unlock()
	return err == nil && slices.Contains(d.held[d.Name], partition)
}

// tryShower runs a Shower that has nothing to show beside a function.
func tryShower(ctx context.Context, s Sender, try func(context.Context) error) error {
	shower, shows := s.(Shower)
	if !shows {
		return try(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		shower.Show(ctx, View{Open: func() ([]Event, bool, <-chan struct{}) { return nil, false, nil }, Name: "test", Report: func(error) {}})
	})
	defer running.Wait()
	defer stop()
	return try(ctx)
}
