package calibrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Bus is what the stage needs of Kafka.
type Bus interface {
	Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error
	Table(topic string) *bus.Table
}

// Vocabularies are the live vocabularies, as vocab.Watchers has them.
type Vocabularies interface {
	// Current is the content of a vocabulary, nil before the first reading; an empty
	// name means the default one.
	Current(name string) *vocab.Vocabulary
	// Changed is closed once one of them has another content.
	Changed() <-chan struct{}
}

// Options of a Stage. All are required down to Logger.
type Options struct {
	Bus          Bus
	Names        topics.Names
	Group        string
	Past         Past
	Embedder     func(Model) (Embedder, error)
	Vocabularies Vocabularies
	Logger       *slog.Logger

	// VocabularyOf names the vocabulary of a camera; empty: the default one. nil: a
	// camera has the one that its record names.
	VocabularyOf func(topics.Camera) string
	Rules        *alerts.RuleSet    // nil: none
	Reporter     telemetry.Reporter // nil: telemetry.Quiet
	Now          func() time.Time   // nil: time.Now
	Settle       time.Duration      // between a change and the work that follows; 0: 5 s
	Look         time.Duration      // how often it looks what is due; 0: a minute
}

// Stage keeps the table of thresholds: what keeps each rule's budget on each camera.
// Any number of processes may run it; the one that holds partition 0 of the table's
// topic, as a member of the group, does the work, and what it writes is refused once
// another one holds it.
type Stage struct {
	Options
	mu      sync.Mutex
	changed chan struct{} // closed when rules are replaced
}

// New checks the options. Nothing runs before Run.
func New(o Options) (*Stage, error) {
	if o.Bus == nil || o.Past == nil || o.Embedder == nil || o.Vocabularies == nil || o.Logger == nil {
		return nil, errors.New("calibrate: bus, past, embedder, vocabularies and logger are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.VocabularyOf == nil {
		o.VocabularyOf = func(c topics.Camera) string { return c.Vocabulary }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Settle == 0 {
		o.Settle = 5 * time.Second
	}
	if o.Look == 0 {
		o.Look = time.Minute
	}
	return &Stage{Options: o, changed: make(chan struct{})}, nil
}

// SetRules replaces the rules, before Run or while it runs.
func (s *Stage) SetRules(rules *alerts.RuleSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Rules = rules
	close(s.changed)
	s.changed = make(chan struct{})
}

// current returns the rules and a channel that is closed when they are replaced.
func (s *Stage) current() (*alerts.RuleSet, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Rules, s.changed
}

// Run works until ctx ends. It returns an error only when Kafka refuses for good.
func (s *Stage) Run(ctx context.Context) error {
	g := bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Thresholds), StartFirst: true, AnyKey: true}
	err := s.Bus.Consume(ctx, g, func(ctx context.Context, p *bus.Partition) error {
		if p.ID() == 0 {
			s.hold(ctx, p)
		}
		<-ctx.Done() // the other partitions are held, and nothing is done with them
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	return nil
}

// hold works while this process holds the lease.
func (s *Stage) hold(ctx context.Context, p *bus.Partition) {
	const part = "thresholds of budgets"
	newest := &model{}
	look := time.NewTicker(s.Look)
	defer look.Stop()
	defer s.Reporter.Warning(part, nil)
	for {
		_, replaced := s.current()
		edited := s.Vocabularies.Changed()
		err := s.pass(ctx, p, newest)
		if ctx.Err() != nil || errors.Is(err, bus.ErrMoved) {
			return
		}
		if err != nil {
			s.Logger.WarnContext(ctx, "thresholds not brought up to date", "error", err)
		}
		s.Reporter.Warning(part, err)
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-replaced:
		case <-edited:
		}
		settle(ctx, s.Settle, look)
	}
}

// settle waits for edits that come together.
func settle(ctx context.Context, d time.Duration, look *time.Ticker) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-look.C:
	}
}

// pass finds the thresholds that are due, and writes them.
func (s *Stage) pass(ctx context.Context, p *bus.Partition, newest *model) error {
	rules, _ := s.current()
	tables, err := s.read(ctx)
	if err != nil {
		return err
	}
	now := map[string]*vocab.Vocabulary{} // edits meanwhile count in the next pass
	for camera, name := range tables.words {
		now[camera] = s.Vocabularies.Current(name)
	}
	words := func(camera string) *vocab.Vocabulary { return now[camera] }
	want := wanted(rules, tables.cameras)
	zones := func(camera string) map[string]topics.Polygon { return tables.zones[camera] }
	sound, texts := able(want, words, zones)
	if err := newest.look(ctx, s.Past, s.Now()); err != nil {
		return err
	}
	due := tables.due(sound, texts, newest.Model, s.Now())
	var found []topics.Threshold
	var wrong error
	if len(due) > 0 {
		began := s.Now()
		found, wrong = Thresholds(ctx, DialOptions{
			Past: s.Past, Model: newest.Model, Embedder: s.Embedder, Words: words, Now: s.Now(),
			Wanted: due, Zones: zones, Fleet: fleet(sound), Known: tables.known(), Marks: tables.marks, Least: LeastContrast,
		})
		s.Logger.InfoContext(ctx, "thresholds of budgets found", "thresholds", len(found), "took", s.Now().Sub(began).Round(time.Millisecond))
	}
	for i, t := range found {
		found[i] = carry(t, tables.thresholds[topics.RuleKey(t.Camera, t.Rule)], s.Now())
	}
	if err := s.write(ctx, p, found, tables.over(want)); err != nil {
		return err
	}
	return wrong
}

// model is what the newest recordings were made with.
type model struct {
	Model
	at time.Time // when that was looked up
}

// look looks it up, if that was not done just before. Without recordings it is empty.
func (m *model) look(ctx context.Context, past Past, now time.Time) error {
	const every = 5 * time.Minute
	if m.ID != "" && now.Sub(m.at) < every {
		return nil
	}
	found, err := Newest(ctx, past, archive.Range{Since: now.Add(-lookBack)}, now)
	if err != nil && !errors.Is(err, ErrNothing) {
		return fmt.Errorf("find the newest recordings: %w", err)
	}
	m.Model, m.at = found, now
	return nil
}

// maxTogether bounds the records that are sent together.
const maxTogether = 500

// write puts thresholds into the table and takes out those that are over.
func (s *Stage) write(ctx context.Context, p *bus.Partition, found []topics.Threshold, over []string) error {
	var all []bus.Message
	add := func(camera, key string, value []byte) {
		all = append(all, bus.Message{Topic: s.Names.Of(topics.Thresholds), Key: []byte(key), PartitionBy: []byte(camera), Value: value})
	}
	for _, t := range found {
		value, err := topics.EncodeThreshold(t)
		if err != nil {
			return err
		}
		add(t.Camera, topics.RuleKey(t.Camera, t.Rule), value)
	}
	for _, key := range over {
		camera, _, _ := topics.SplitRuleKey(key)
		add(camera, key, nil)
	}
	for some := range slices.Chunk(all, maxTogether) {
		if _, err := p.Send(ctx, some...); err != nil {
			return fmt.Errorf("write thresholds: %w", err)
		}
	}
	return nil
}

// read reads the tables that decide what is due, side by side.
func (s *Stage) read(ctx context.Context) (*tables, error) {
	t := &tables{cameras: map[string][]string{}, words: map[string]string{}, zones: map[string]map[string]topics.Polygon{}, thresholds: map[string]topics.Threshold{}}
	g, ctx := errgroup.WithContext(ctx)
	list := func(topic topics.Topic, take func(key string, value []byte)) {
		g.Go(func() error {
			all, err := s.Bus.Table(s.Names.Of(topic)).List(ctx)
			if err != nil {
				return fmt.Errorf("read the table %s: %w", topic, err)
			}
			for key, m := range all {
				take(key, m.Value)
			}
			return nil
		})
	}
	list(topics.Cameras, func(key string, value []byte) { t.camera(key, value, s.VocabularyOf) })
	list(topics.Thresholds, t.threshold)
	list(topics.Marks, t.mark)
	return t, g.Wait()
}
