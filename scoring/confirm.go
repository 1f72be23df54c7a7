package scoring

import (
	"context"

	"github.com/frostwatch/frostwatch/vocab"
)

// maxLines bounds what is logged of one edit.
const maxLines = 20

// confirm logs and counts what is in force now.
func (l *Live) confirm(ctx context.Context, before vocab.Vocabulary) {
	now := l.usable
	l.labels.Record(ctx, int64(len(now.Labels)))
	l.changes.Add(ctx, 1)
	l.logSkipped(ctx, before.Problems, now.Problems)
	l.warnSkipped(now.Problems)
	if before.Version != "" { // not the first
		changes := vocab.Changes(before, now)
		for _, c := range changes[:min(maxLines, len(changes))] {
			if c.What == vocab.Skipped { // logged above, at a higher level
				continue
			}
			l.Logger.InfoContext(ctx, "label "+c.What, "label", c.Label, "vocabulary", now.Name)
		}
		if more := len(changes) - maxLines; more > 0 {
			l.Logger.InfoContext(ctx, "more labels are edited", "labels", more, "vocabulary", now.Name)
		}
		if l.OnEdit != nil {
			l.OnEdit(changes)
		}
	}
	if len(now.Labels) == 0 {
		l.Logger.WarnContext(ctx, "vocabulary is empty: nothing is recognised", "name", now.Name)
	}
	l.Logger.InfoContext(ctx, "vocabulary in force", "name", now.Name, "version", now.Version, "labels", len(now.Labels), "skipped", len(now.Problems))
}

// logSkipped logs labels that can't be used, once for as long as that holds.
func (l *Live) logSkipped(ctx context.Context, before, now []vocab.Problem) {
	old := make(map[string]bool, len(before))
	for _, p := range before {
		old[p.String()] = true
	}
	lines := 0
	for _, p := range now {
		if old[p.String()] {
			continue
		}
		if lines++; lines > maxLines {
			l.Logger.WarnContext(ctx, "vocabulary: more labels skipped, `frostwatch vocab ls` lists them", "skipped", len(now))
			return
		}
		l.Logger.WarnContext(ctx, "vocabulary: label skipped", "label", p.Label, "error", p.Err)
	}
}

// announce says what is in force to those who edit. It changes nothing when that
// fails.
func (l *Live) announce(ctx context.Context) {
	if l.Current() == nil {
		return
	}
	e := l.Embeddings
	err := vocab.NewStore(e.Client, e.Prefix).Announce(ctx, l.usable.Name, vocab.NewInForce(e.Embedder.ID(), l.usable))
	if err != nil && ctx.Err() == nil {
		l.Logger.DebugContext(ctx, "vocabulary: what is in force", "error", err)
	}
}
