package scoring

import (
	"context"

	"github.com/frostwatch/frostwatch/vocab"
)

// maxLines bounds the lines that are logged about one edit.
const maxLines = 20

// confirm logs and counts a vocabulary that has just come into force.
func (l *Live) confirm(ctx context.Context, s *served, before vocab.Vocabulary) {
	now := s.usable
	l.labels.Record(ctx, int64(len(now.Labels)), s.attribute())
	l.changes.Add(ctx, 1, s.attribute())
	l.logSkipped(ctx, now.Name, before.Problems, now.Problems)
	if before.Version != "" { // this is not the first vocabulary
		changes := vocab.Changes(before, now)
		for _, c := range changes[:min(maxLines, len(changes))] {
			if c.What == vocab.Skipped { // logSkipped has warned of it
				continue
			}
			l.Logger.InfoContext(ctx, "label "+c.What, "label", c.Label, "vocabulary", now.Name)
		}
		if more := len(changes) - maxLines; more > 0 {
			l.Logger.InfoContext(ctx, "further labels were edited", "labels", more, "vocabulary", now.Name)
		}
		if l.OnEdit != nil {
			l.OnEdit(now.Name, changes)
		}
	}
	if len(now.Labels) == 0 {
		l.Logger.WarnContext(ctx, "vocabulary is empty: nothing is recognised until a label is added", "name", now.Name)
	}
	l.Logger.InfoContext(ctx, "vocabulary in force", "name", now.Name, "version", now.Version, "labels", len(now.Labels), "skipped", len(now.Problems))
}

// logSkipped logs labels that can't be used, each once until its problem changes.
func (l *Live) logSkipped(ctx context.Context, name string, before, now []vocab.Problem) {
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
			l.Logger.WarnContext(ctx, "vocabulary: further labels skipped, which are not logged one by one", "vocabulary", name, "skipped", len(now))
			return
		}
		l.Logger.WarnContext(ctx, "vocabulary: label skipped", "label", p.Label, "vocabulary", name, "error", p.Err)
	}
}
