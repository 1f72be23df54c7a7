package twomodels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// MaxClips bounds the clips of a comparison: what two models see of one is some 10 KB.
const MaxClips = 50_000

// ErrNoClips says that Kafka keeps no clips of the range: only those can be compared.
var ErrNoClips = errors.New("of this time there is no clip with its pictures, which a model needs that has not recorded it")

// Options say what to compare. All are required but Cameras, Rules, Thresholds, Zones and
// Progress.
type Options struct {
	Past         *archive.Reader
	A, B         *Model
	Since, Until time.Time
	Cameras      []string // names or globs; empty: all
	Clips        int      // at most, spread over the range
	// Vocabulary is that of a camera; nil: none.
	Vocabulary func(camera string, tags []string) *vocab.Vocabulary
	// Rules are those in force, and RuleWords makes their labels ready for a model.
	Rules      *alerts.RuleSet
	RuleWords  func(ctx context.Context, m *Model) (*calibrate.Words, error)
	Thresholds []topics.Threshold // of budgets; of each model those that were found with it
	Zones      calibrate.Zones
	Progress   func(done, most int)
}

type comparison struct {
	Options
	pairs     []pair
	recorded  [2]int // clips that each model has recorded
	undecoded int
	cut       bool // not all clips of a stretch fitted into memory
}

func (c *comparison) models() [2]*Model { return [2]*Model{c.A, c.B} }

// Compare compares two models on recorded clips. The recognitions that it makes are in dir,
// an archive of each model, which the caller removes.
func Compare(ctx context.Context, o Options, dir string) (*Result, error) {
	if o.Clips < 1 || o.Clips > MaxClips {
		return nil, fmt.Errorf("compare models: %d clips: want 1 to %d", o.Clips, MaxClips)
	}
	if o.A.ID == o.B.ID {
		return nil, fmt.Errorf("%s and %s are the same model (id %s)", o.A.Name, o.B.Name, o.A.ID)
	}
	c := &comparison{Options: o}
	if err := c.sample(ctx); err != nil {
		return nil, err
	}
	if len(c.pairs) == 0 {
		return nil, ErrNoClips
	}
	slices.SortStableFunc(c.pairs, func(a, b pair) int {
		return cmp.Or(a.time.Compare(b.time), a.of[0].End.Compare(b.of[0].End))
	})
	r := c.result()
	if err := c.scores(ctx, r); err != nil {
		return nil, err
	}
	if err := c.archive(ctx, dir); err != nil {
		return nil, err
	}
	return r, c.alerts(ctx, r, dir)
}

// archive writes what each model has seen, so that all that reads the past can read it.
func (c *comparison) archive(ctx context.Context, dir string) error {
	for side := range c.models() {
		b, err := archive.OpenBucket(ctx, sideDir(dir, side))
		if err != nil {
			return err
		}
		records := make([]archive.Record[topics.Recognition], len(c.pairs))
		for i, p := range c.pairs {
			records[i] = archive.Record[topics.Recognition]{Value: *p.of[side], Time: p.time}
		}
		_, err = b.Import(ctx, 0, 0, records)
		if err = errors.Join(err, b.Close()); err != nil {
			return fmt.Errorf("keep what model %s has seen: %w", c.models()[side].Name, err)
		}
	}
	return nil
}

func sideDir(dir string, side int) string { return filepath.Join(dir, [2]string{"a", "b"}[side]) }

// open is the archive of what a model has seen. The caller closes the bucket.
func open(ctx context.Context, dir string, side int) (*archive.Reader, *archive.Bucket, error) {
	if _, err := os.Stat(sideDir(dir, side)); err != nil {
		return nil, nil, err
	}
	b, err := archive.OpenBucket(ctx, sideDir(dir, side))
	if err != nil {
		return nil, nil, err
	}
	r, err := archive.NewReader(archive.ReaderOptions{Bucket: b})
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return r, b, nil
}

// Learn finds thresholds of budgets for the second model of a comparison, from what it saw:
// dir is that of Compare.
func Learn(ctx context.Context, o Options, dir string, cameras map[string]topics.Camera, marks []topics.Mark, now time.Time) (found []topics.Threshold, err error) {
	past, bucket, err := open(ctx, dir, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	return calibrate.Learn(ctx, calibrate.LearnOptions{
		Past: past, Model: o.B.Model, Embedder: o.B, Rules: o.Rules, Cameras: cameras, Marks: marks, Now: now,
		Words: func(camera string) *vocab.Vocabulary { return o.Vocabulary(camera, cameras[camera].Tags) },
	})
}

// alerts counts what the rules would have raised with each model.
func (c *comparison) alerts(ctx context.Context, r *Result, dir string) error {
	if c.Rules == nil || len(c.Rules.Names()) == 0 {
		return nil
	}
	var raised [2][]topics.Alert
	for side, m := range c.models() {
		words, err := c.RuleWords(ctx, m)
		if err != nil {
			return fmt.Errorf("embed the labels of the rules for model %s: %w", m.Name, err)
		}
		if words == nil {
			return nil // no rule has a label
		}
		if raised[side], err = c.replay(ctx, dir, side, words); err != nil {
			return fmt.Errorf("run the rules over what model %s has seen: %w", m.Name, err)
		}
	}
	r.rules(c.Rules, calibrate.Compare(raised[1], raised[0]))
	return nil
}

// replay runs the rules over what a model has seen.
func (c *comparison) replay(ctx context.Context, dir string, side int, words *calibrate.Words) (all []topics.Alert, err error) {
	past, bucket, err := open(ctx, dir, side)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	var own []topics.Threshold
	for _, t := range c.Thresholds {
		if t.Model == c.models()[side].ID {
			own = append(own, t)
		}
	}
	replayed, err := calibrate.Replay(ctx, calibrate.ReplayOptions{Past: past, Rules: c.Rules, Words: words, Zones: c.Zones, Thresholds: own})
	if err != nil {
		return nil, err
	}
	return replayed.Alerts, nil
}
