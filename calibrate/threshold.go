package calibrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// WordsOf returns the vocabulary of a camera; nil: it is not known.
type WordsOf func(camera string) *vocab.Vocabulary

// DialOptions say for what to find thresholds. All but Known and Marks are required.
type DialOptions struct {
	Past     Past
	Model    Model // of the newest recordings; empty: there are none
	Embedder func(Model) (Embedder, error)
	Words    WordsOf // always answers the same
	Now      time.Time
	// Wanted are the rules with a budget by camera, each as it is there.
	Wanted map[string][]alerts.Budgeted
	Zones  Zones // nil: there are none
	// Fleet is on how many cameras a rule counts, by its name: a budget in all is for
	// all of them, and so all of them have to be wanted.
	Fleet map[string]int
	Known []topics.Threshold // thresholds of other cameras, for those without a past
	Marks []topics.Mark
	// Least is the contrast below which no threshold is; 0: there is no such bound.
	Least float64
}

const (
	// LeastContrast is what the stage takes for Least: all reference texts together are
	// then 99 times as likely as the label, and of some 350 of them an average one a
	// third as likely. Where nothing looks like the label a budget would otherwise be
	// spent on what resembles it least. How much that saves, and what it costs, was
	// measured (docs/trust.md).
	LeastContrast = 0.01
	// lookBack is how much of the past is used at most: what was usual longer ago says
	// little about now.
	lookBack = 28 * 24 * time.Hour
	// plenty is how many false alarms the past has to allow for; more of it is not used
	// where a day has that many.
	plenty = 200
	// together bounds the cameras whose past is in memory at a time.
	together = 4
)

// howFar is how much of the past a budget is compared with.
func howFar(r alerts.Rule) time.Duration {
	rate := r.FalseAlarms.PerDay(1)
	if rate <= 0 {
		return lookBack
	}
	return min(max(time.Duration(plenty/rate*float64(24*time.Hour)), 24*time.Hour), lookBack)
}

// dial is one pass over the past.
type dial struct {
	DialOptions
	rules map[string]*dialled // by key; nil: it can't be compared
}

// key is that of a rule on a camera: the cameras of a vocabulary share its labels.
func (d *dial) key(camera, rule string) string {
	if v := d.Words(camera); v != nil {
		rule += "/" + v.Name
	}
	return rule
}

// of is a rule as it is on a camera.
func (d *dial) of(camera, rule string) *dialled { return d.rules[d.key(camera, rule)] }

// dialled is a rule with its labels, made ready for the past.
type dialled struct {
	words *Words // nil: there is no past
	hash  string // of the labels' texts
	// columns are the first and the last word, exclusive, of each column.
	columns [][2]int
	labels  []vocab.Label
}

// Thresholds finds the levels that keep each rule's budget on each wanted camera. A
// rule whose labels can't be compared gets none; the error then says so, beside the
// thresholds of the others.
func Thresholds(ctx context.Context, o DialOptions) ([]topics.Threshold, error) {
	d := &dial{DialOptions: o, rules: map[string]*dialled{}}
	wrong := d.prepare(ctx)
	found, err := d.heights(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare the past with the rules' labels: %w", err)
	}
	return d.settle(found), wrong
}

// prepare makes the rules' words ready, and drops the rules that can't be compared.
func (d *dial) prepare(ctx context.Context) (wrong error) {
	sound := map[string][]alerts.Budgeted{}
	defer func() { d.Wanted = sound }()
	var embedder Embedder
	for _, camera := range slices.Sorted(maps.Keys(d.Wanted)) {
		for _, r := range d.Wanted[camera] {
			key := d.key(camera, r.Name)
			if rule, known := d.rules[key]; known {
				if rule != nil {
					sound[camera] = append(sound[camera], r)
				}
				continue
			}
			rule, err := d.labelled(ctx, camera, r.Rule)
			if err == nil && d.Model.References != "" {
				if embedder == nil {
					embedder, err = d.Embedder(d.Model)
				}
				if err == nil {
					rule.words, err = NewWords(ctx, embedder, d.Model, rule.labels)
				}
			}
			if err != nil {
				wrong = errors.Join(wrong, fmt.Errorf("rule %s: %w", r.Name, err))
				d.rules[key] = nil
				continue
			}
			d.rules[key] = rule
			sound[camera] = append(sound[camera], r)
		}
	}
	return wrong
}

// labelled finds the labels that a rule is about on a camera.
func (d *dial) labelled(ctx context.Context, camera string, r alerts.Rule) (*dialled, error) {
	var novel map[string]bool
	if r.Novel {
		var err error
		if novel, err = d.novel(ctx); err != nil {
			return nil, err
		}
	}
	labels, columns, whole := partsOf(r, d.Words(camera), novel)
	if !whole {
		return nil, errors.New("the vocabulary has none of its labels")
	}
	return &dialled{labels: labels, columns: columns, hash: hashOf(labels)}, nil
}

// partsOf are the labels of a vocabulary that the parts of a rule are about, and the
// first and the last, exclusive, of each part. whole is false where a part has none.
func partsOf(r alerts.Rule, v *vocab.Vocabulary, novel map[string]bool) (labels []vocab.Label, parts [][2]int, whole bool) {
	for _, part := range r.Parts() {
		of := labelsOf(part, v, novel)
		if len(of) == 0 {
			return nil, nil, false
		}
		parts = append(parts, [2]int{len(labels), len(labels) + len(of)})
		labels = append(labels, of...)
	}
	return labels, parts, true
}

// labelsOf are the labels of a vocabulary that a rule is about, none where it is not
// known; novel are those that the model was not trained on.
func labelsOf(r alerts.Rule, v *vocab.Vocabulary, novel map[string]bool) (out []vocab.Label) {
	if v == nil {
		return nil
	}
	r.Zone = nil // a vocabulary has labels alone
	for _, l := range v.Labels {
		if r.Selects(topics.LabelScore{Label: l.Name, Tags: l.Tags, Background: l.Background, Novel: novel[l.Name]}) {
			out = append(out, l)
		}
	}
	return out
}

// hashOf identifies the texts of labels; empty for none.
func hashOf(labels []vocab.Label) string {
	if len(labels) == 0 {
		return ""
	}
	var texts []string
	for _, l := range labels {
		texts = append(texts, l.Read()...)
	}
	return scoring.HashTexts(texts)
}

// novel are the labels that recent recordings call novel: only the model knows.
func (d *dial) novel(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	g := archive.Range{Since: d.Now.Add(-10 * time.Minute)}
	var one sync.Mutex
	_, err := d.Past.Labels(ctx, g, func(b archive.Labelled) error {
		one.Lock()
		defer one.Unlock()
		for i := range b.Records {
			for _, l := range b.Records[i].Value.Labels {
				out[l.Label] = l.Novel
			}
		}
		return nil
	})
	return out, err
}

// placed is what the past has of a rule on a camera.
type placed struct {
	camera string
	rule   alerts.Budgeted
	trial  *trial
	*heights
	since, until time.Time
	clips        int
}

// heights reads the past of the wanted cameras, a few at a time.
func (d *dial) heights(ctx context.Context) (all []*placed, err error) {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(d.Wanted)), together) {
		series, err := d.collect(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, camera := range some {
			column := 0
			for _, r := range d.Wanted[camera] {
				past := newSeries(len(d.of(camera, r.Name).columns))
				if s := series[camera]; s != nil {
					past = s.only(column, column+len(past.columns))
				}
				column += len(past.columns)
				p, err := d.place(camera, r, past)
				if err != nil || ctx.Err() != nil {
					return nil, errors.Join(err, ctx.Err())
				}
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// place tries a rule on a camera's past.
func (d *dial) place(camera string, r alerts.Budgeted, past *series) (*placed, error) {
	t, err := newTrial(camera, r.Rule)
	if err != nil {
		return nil, err
	}
	from := d.Now.Add(-howFar(r.Rule)).UnixNano()
	first, _ := slices.BinarySearch(past.ends, from)
	past = past.part(first, past.len()).without(truths(d.Marks, camera, r.Rule, d.of(camera, r.Name).labels))
	p := &placed{camera: camera, rule: r, trial: t, clips: past.len()}
	p.since, p.until = past.bounds()
	expected := r.FalseAlarms.PerDay(1) * past.watched().Hours() / 24
	p.heights = newHeights(t, past, int(max(1.2*clearFactor*expected, tailShare*maxTail)))
	return p, nil
}
