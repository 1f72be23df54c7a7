package alerts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// about are the labels that a rule is about, as infer is asked to score them.
func (r Rule) about() topics.WatchedLabels {
	out := topics.WatchedLabels{Labels: r.names(), Tags: r.Tags, Novel: r.Novel, Zones: r.Zone}
	if r.Measure() == ByScore {
		out.Score, _ = (&judge{rule: r}).levels(&topics.LabelScore{})
	}
	return out
}

// watchedTable is what the table of watched labels has of this partition: hashes of
// values by key.
type watchedTable map[string][sha256.Size]byte

// maxWatched bounds it. What is beyond is written anew, and not removed.
const maxWatched = 200_000

func (t watchedTable) note(key string, value []byte) {
	_, known := t[key]
	_, _, ours := topics.SplitRuleKey(key)
	switch {
	case len(value) == 0:
		delete(t, key)
	case known || ours && len(t) < maxWatched:
		t[key] = sha256.Sum256(value)
	}
}

// has is whether the table has that value of the key; nil: none.
func (t watchedTable) has(key string, value []byte) bool {
	hash, known := t[key]
	return known == (value != nil) && (!known || hash == sha256.Sum256(value))
}

// tableBatch bounds the records of a table that are sent together.
const tableBatch = 500

// readWatched reads the partition's part of the table.
func (w *worker) readWatched(ctx context.Context) error {
	return w.Bus.Replay(ctx, w.Names.Of(topics.Watched), w.p.ID(), 0, -1, func(m bus.Message) error {
		w.watched.note(string(m.Key), m.Value)
		return nil
	})
}

// listWatched brings the table up to date with the rules and the partition's
// cameras: those of the table of cameras, and those that send clips.
func (w *worker) listWatched(ctx context.Context) error {
	known, _ := w.fleet.cameras()
	cameras := map[string][]string{} // their tags
	for name, c := range w.engine.cameras {
		cameras[name] = c.tags
	}
	maps.Copy(cameras, known)
	want, err := w.wantWatched(ctx, cameras)
	if err != nil {
		return err
	}
	for key := range w.watched {
		// Where the cameras are not known yet, nothing may be removed.
		if want[key] == nil && known != nil {
			want[key] = nil
		}
	}
	return w.changeWatched(ctx, want)
}

// listCamera does the same for a camera whose first clip has come.
func (w *worker) listCamera(ctx context.Context, name string) error {
	tags := w.engine.cameras[name].tags
	known, _ := w.fleet.cameras()
	if own, listed := known[name]; listed {
		tags = own
	}
	want, err := w.wantWatched(ctx, map[string][]string{name: tags})
	if err != nil {
		return err
	}
	return w.changeWatched(ctx, want)
}

// changeWatched puts values into the table, by key, as far as it has others; nil
// removes the key.
func (w *worker) changeWatched(ctx context.Context, want map[string][]byte) error {
	var changes []bus.Message
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !w.watched.has(key, want[key]) {
			camera, _, _ := topics.SplitRuleKey(key)
			changes = append(changes, bus.Message{Topic: w.Names.Of(topics.Watched), Key: []byte(key), PartitionBy: []byte(camera), Value: want[key]})
		}
	}
	for batch := range slices.Chunk(changes, tableBatch) {
		_, err := w.p.Send(ctx, batch...)
		if bus.Permanent(err) && !errors.Is(err, bus.ErrMoved) {
			w.Logger.ErrorContext(ctx, "watched labels not listed", "error", err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("list watched labels: %w", err)
		}
		for _, m := range batch {
			w.watched.note(string(m.Key), m.Value)
		}
	}
	return nil
}

// wantWatched is what the table should have of these cameras, whose tags are given,
// by key; of those of other partitions nothing.
func (w *worker) wantWatched(ctx context.Context, cameras map[string][]string) (map[string][]byte, error) {
	rules, _ := w.current()
	want := map[string][]byte{}
	for camera, tags := range cameras {
		home, err := w.home(ctx, w.p.Topic(), camera)
		if err != nil {
			return nil, err
		}
		if home != w.p.ID() {
			continue
		}
		for _, r := range rules.all() {
			if !r.watches(camera, tags) {
				continue
			}
			about := r.about()
			about.Camera, about.Rule = camera, r.Name
			value, err := topics.EncodeWatched(about)
			if err != nil {
				w.Logger.WarnContext(ctx, "labels of a rule are scored only if they are among the best", "rule", r.Name, "error", err)
				continue
			}
			want[topics.RuleKey(camera, r.Name)] = value
		}
	}
	return want, nil
}
