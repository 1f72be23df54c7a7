package calibrate

import (
	"context"
	"errors"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// TryOptions say what to try. All are required but the range.
type TryOptions struct {
	Past  Past
	Words *Words // the rule's labels
	Rule  alerts.Rule
	Range archive.Range
	Zones Zones // nil: there are none
}

// Tried is where a rule would have raised alerts.
type Tried struct {
	Alerts []topics.Alert // raises and clears, in order of time
	Scored int            // recordings that were compared
	Other  map[string]int // recordings by other models, which can't be compared
	Counts archive.Counts
}

// Try runs the engine with one rule over recorded embeddings: nothing of what was
// recorded about labels is needed, so that a label may be tried that was never in a
// vocabulary. Its labels have no score.
func Try(ctx context.Context, o TryOptions) (*Tried, error) {
	if o.Rule.Measure() == alerts.ByScore {
		return nil, errors.New("a score depends on the whole vocabulary: want a rule on contrast or similarity")
	}
	rules, err := alerts.NewRuleSet(o.Rule)
	if err != nil {
		return nil, err
	}
	t := &try{TryOptions: o, rules: rules}
	t.partitions.fresh = t.partition
	g := o.Range
	g.Ends, g.Views = o.Words.ends, true
	if !g.Since.IsZero() {
		g.Since = g.Since.Add(-Warm)
	}
	counts, err := o.Past.Scan(ctx, g, func(b archive.Batch) error { return t.partitions.of(b.Partition).batch(b) })
	if err != nil {
		return nil, err
	}
	return t.result(counts), nil
}

type try struct {
	TryOptions
	rules      *alerts.RuleSet
	partitions partitions[tried]
}

// tried is one partition.
type tried struct {
	*try
	player *player
	clips  *reading
	labels []topics.LabelScore
	parts  map[string][]*part // by camera: each of the rule's zones there
	newest time.Time          // record time
	alerts []topics.Alert
	scored int
	other  otherModels
}

func (t *try) partition() *tried {
	p := &tried{try: t, player: newPlayer(t.rules, nil, nil), clips: newReading(t.Words.model), other: otherModels{}, parts: map[string][]*part{}}
	for _, w := range t.Words.list {
		p.labels = append(p.labels, w.label)
	}
	return p
}

func (p *tried) batch(b archive.Batch) error {
	want := p.Words.model
	for i := range b.Rows {
		row := &b.Rows[i]
		if !want.made(b, row) {
			if !row.End.Before(p.Range.Since) {
				p.other.note(row)
			}
			continue
		}
		labels := p.seen(b, i)
		if !row.End.Before(p.Range.Since) {
			p.scored++
		}
		p.newest = row.Time
		p.alerts = append(p.alerts, p.player.see(row.Time, &topics.Recognition{
			ClipID: row.ClipID(), Camera: row.Camera, Epoch: row.Epoch, Sequence: row.Sequence, Start: row.Start, End: row.End,
			Labels: labels, Model: row.Model, LogitScale: row.LogitScale, References: references(row), Views: places(b, i),
		})...)
		if len(p.alerts) > maxAlerts {
			return errors.New("the rule raises too many alerts: try a higher threshold, or a shorter range")
		}
	}
	return nil
}

// seen are the words with what a clip has of them, in the whole picture or in each of the
// rule's zones.
func (p *tried) seen(b archive.Batch, i int) (labels []topics.LabelScore) {
	add := func(clip selection, zone *topics.ZoneRef) {
		for w, l := range p.labels {
			if len(clip.views) == 0 {
				continue
			}
			seen := p.Words.values(w, clip.views, b.Rows[i].LogitScale)
			l.Similarity, l.Contrast, l.View, l.Zone = seen.Similarity, seen.Contrast, clip.index[seen.View], zone
			labels = append(labels, l)
		}
	}
	if whole := p.clips.of(b, i); len(p.Rule.Zone) == 0 {
		add(whole, nil)
		return labels
	}
	for _, part := range p.zonesOf(b.Rows[i].Camera) {
		add(p.clips.in(part), &part.refs[0])
	}
	return labels
}

// zonesOf are the rule's zones on a camera, each alone.
func (p *tried) zonesOf(camera string) []*part {
	parts, known := p.parts[camera]
	if !known {
		for _, name := range p.Rule.Zone {
			if one := p.Zones.of(camera, alerts.Rule{Zone: []string{name}}); len(one.zones) > 0 {
				parts = append(parts, one)
			}
		}
		p.parts[camera] = parts
	}
	return parts
}

func references(row *archive.Row) *topics.References {
	if row.References.Hash == "" {
		return nil
	}
	return &row.References
}

func (t *try) result(counts archive.Counts) *Tried {
	out, other := &Tried{Counts: counts}, otherModels{}
	for _, p := range t.partitions.all {
		end := p.newest
		if !t.Range.Until.IsZero() && t.Range.Until.After(end) {
			end = t.Range.Until
		}
		raised := map[string]bool{}
		for _, a := range append(p.alerts, p.player.until(end)...) {
			if a.State == topics.AlertRaised && !a.At.Before(t.Range.Since) {
				raised[a.ID] = true
			}
			if raised[a.ID] {
				out.Alerts = append(out.Alerts, a)
			}
		}
		out.Scored += p.scored
		other.add(p.other)
	}
	out.Other = other
	inOrder(out.Alerts)
	return out
}
