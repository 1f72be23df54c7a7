package infer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// watched are the labels that rules name, by camera, as the table watched has them.
// Safe for concurrent use.
type watched struct {
	ready  chan struct{} // closed once the table has been read, or can't be
	opened sync.Once

	mu      sync.Mutex
	rules   map[string]map[string]topics.WatchedLabels // by camera and rule
	cameras map[string]cameraWatch                     // by camera, of those that were asked for
	entries int
	texts   int // labels and tags in all entries
}

// cameraWatch is what all rules of a camera watch, and those of them that compare
// scores.
type cameraWatch struct {
	*scoring.Watched
	scores []scoreRule
	zones  map[string]*scoring.Watched // what rules about a zone watch, by zone
}

// zone is whether a rule is about the zone.
func (w cameraWatch) zone(name string) bool { return w.zones[name] != nil }

// Bounds on what is kept: whoever can write the topic can add any number.
const (
	maxWatched = 200_000   // entries
	maxTexts   = 1_000_000 // their labels and tags
)

func newWatched() *watched {
	return &watched{ready: make(chan struct{}), rules: map[string]map[string]topics.WatchedLabels{}, cameras: map[string]cameraWatch{}}
}

// of is what is watched on a camera; Watched is nil: nothing.
func (w *watched) of(camera string) cameraWatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, known := w.cameras[camera]
	if rules := w.rules[camera]; !known && rules != nil {
		out = together(rules)
		w.cameras[camera] = out
	}
	return out
}

// await blocks until the table has been read; false if ctx ended before.
func (w *watched) await(ctx context.Context) bool {
	select {
	case <-w.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *watched) open() { w.opened.Do(func() { close(w.ready) }) }

// followWatched keeps up with the table until ctx ends. While it can't be read, only
// the best labels are listed, and a warning says so.
func (s *Stage) followWatched(ctx context.Context) {
	defer s.watched.open()
	if s.Watched == nil {
		return
	}
	take := func(m bus.Message) error {
		err := s.watched.note(m)
		s.sunk.forget(s.watched.names)
		return err
	}
	s.Watched.Keep(ctx, take, func(err error) {
		s.watched.open()
		if err != nil {
			err = fmt.Errorf("labels that rules name are scored only if they are among the best %d: %w", s.TopK, err)
		}
		s.Reporter.Warning("watched labels", err)
	})
}

// note takes a record of the table; an empty one removes its key.
func (w *watched) note(m bus.Message) error {
	key, value := string(m.Key), m.Value
	camera, rule, ok := topics.SplitRuleKey(key)
	if !ok {
		return fmt.Errorf("key %.80q: want camera/rule", key)
	}
	var labels topics.WatchedLabels
	if len(value) > 0 {
		var err error
		if labels, err = topics.DecodeWatched(value); err != nil {
			return err
		}
		if labels.Camera != camera || labels.Rule != rule {
			return fmt.Errorf("key %.80q: the record is of another camera or rule", key)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(camera, rule, labels, len(value) == 0)
}

func (w *watched) put(camera, rule string, labels topics.WatchedLabels, remove bool) error {
	rules := w.rules[camera]
	was, known := rules[rule]
	texts := w.texts - textsOf(was)
	if !remove {
		texts += textsOf(labels)
	}
	switch {
	case remove && !known:
		return nil
	case remove:
		delete(rules, rule)
		w.entries--
	case !known && w.entries >= maxWatched || texts > maxTexts:
		return errors.New("the table has too many entries")
	default:
		if rules == nil {
			rules = map[string]topics.WatchedLabels{}
			w.rules[camera] = rules
		}
		rules[rule] = labels
		if !known {
			w.entries++
		}
	}
	w.texts = texts
	if len(rules) == 0 {
		delete(w.rules, camera)
	}
	delete(w.cameras, camera) // of works it out once for many changes
	return nil
}

func textsOf(l topics.WatchedLabels) int { return (len(l.Labels) + len(l.Tags)) * max(1, len(l.Zones)) }

// together is what all rules of a camera watch.
func together(rules map[string]topics.WatchedLabels) (out cameraWatch) {
	var whole watchedPart
	zones := map[string]*watchedPart{}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		r := rules[rule]
		if len(r.Zones) == 0 {
			whole.add(r)
		}
		for _, zone := range r.Zones {
			if zones[zone] == nil {
				zones[zone] = &watchedPart{}
			}
			zones[zone].add(r)
		}
		if r.Score > 0 {
			out.scores = append(out.scores, scoreRule{rule, r.Score, scoring.NewWatched(r.Labels, r.Tags, r.Novel), r.Zones})
		}
	}
	out.Watched = whole.watched()
	for zone, part := range zones {
		if out.zones == nil {
			out.zones = map[string]*scoring.Watched{}
		}
		out.zones[zone] = part.watched()
	}
	return out
}

// watchedPart is what rules watch in the whole picture, or in a zone.
type watchedPart struct {
	labels, tags []string
	novel        bool
}

func (p *watchedPart) add(r topics.WatchedLabels) {
	p.labels, p.tags, p.novel = append(p.labels, r.Labels...), append(p.tags, r.Tags...), p.novel || r.Novel
}

func (p *watchedPart) watched() *scoring.Watched {
	return scoring.NewWatched(p.labels, p.tags, p.novel)
}

// names is whether any camera has a rule of that name that compares scores.
func (w *watched) names(rule string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, rules := range w.rules {
		if rules[rule].Score > 0 {
			return true
		}
	}
	return false
}
