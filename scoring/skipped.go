package scoring

import (
	"context"
	"fmt"
	"sync"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const (
	// maxWarnings bounds the labels that have a warning of their own; of others
	// only their number is reported.
	maxWarnings = 50
	maxWarning  = 300 // bytes of a label and of a reason, which anyone may have written
)

// warnings are the labels that are reported as skipped or cut.
type warnings struct {
	mu       sync.Mutex
	reported map[string]bool   // parts with a warning at present
	of       *vocab.Vocabulary // the content that they are about; nil: to be worked out again
	why      map[string]error  // texts that the model refused when it was last asked
	ended    bool              // the vocabulary is no longer in use
}

// watchSkipped keeps the warnings up to date until ctx ends. It does not wait for
// the model, which may be embedding for minutes.
func (l *Live) watchSkipped(ctx context.Context) {
	for {
		changed := l.Vocabularies.Changed()
		for _, s := range l.list() {
			l.warnSkipped(ctx, s)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// refused replaces the texts that the model refuses.
func (l *Live) refused(ctx context.Context, s *served, texts map[string]error) {
	s.warnings.mu.Lock()
	s.warnings.why, s.warnings.of = texts, nil
	s.warnings.mu.Unlock()
	l.warnSkipped(ctx, s)
}

// withdraw withdraws the warnings about a vocabulary that is no longer in use.
func (l *Live) withdraw(ctx context.Context, s *served) {
	s.warnings.mu.Lock()
	defer s.warnings.mu.Unlock()
	for part := range s.warnings.reported {
		l.Reporter.Warning(part, nil)
	}
	s.warnings.reported, s.warnings.ended = nil, true
	l.skipped.Record(ctx, 0, s.attribute())
}

// warnSkipped reports a warning for each label that can't be used, or of which the model
// reads the beginning alone, and withdraws it once that is mended or the label removed. It also counts them. It goes by the
// content that the Watcher read last, even if it is not in force yet or is refused as a whole: that is what
// people edit.
func (l *Live) warnSkipped(ctx context.Context, s *served) {
	s.warnings.mu.Lock()
	defer s.warnings.mu.Unlock()
	read := s.watcher.Read()
	if read == nil || s.warnings.ended || read == s.warnings.of {
		return
	}
	s.warnings.of = read
	usable := without(*read, s.warnings.why)
	problems := usable.Problems
	l.skipped.Record(ctx, int64(len(problems)), s.attribute())
	reported := map[string]bool{}
	warn := func(part string, why error) {
		reported[part] = true
		l.Reporter.Warning(part, why)
	}
	for _, p := range problems[:min(maxWarnings, len(problems))] {
		warn(distinct(partOf(p.Label)+s.of(), reported), fmt.Errorf("skipped: %s", shortened(p.Err.Error())))
	}
	if more := len(problems) - maxWarnings; more > 0 {
		warn("labels"+s.of(), fmt.Errorf("%d more of vocabulary %s are skipped", more, shortened(read.Name)))
	}
	cut := l.cut(usable.Labels)
	for _, p := range cut[:min(max(maxWarnings-len(problems), 0), len(cut))] {
		warn(distinct(partOf(p.Label)+s.of(), reported), fmt.Errorf("watched for, but not as a whole: %s", shortened(p.Err.Error())))
	}
	for part := range s.warnings.reported {
		if !reported[part] {
			l.Reporter.Warning(part, nil)
		}
	}
	s.warnings.reported = reported
}

// Cutter is an Embedder that reads only the beginning of texts that are too long for it.
type Cutter interface {
	// Cut says why not all of a text is read; nil: all is.
	Cut(text string) error
}

// cut are the labels with a text that the model doesn't read to its end. That is known of
// the texts alone, whether their vectors come from the model or from the cache.
func (l *Live) cut(labels []vocab.Label) (out []vocab.Problem) {
	cutter, ok := l.Embeddings.Embedder.(Cutter)
	if !ok {
		return nil
	}
	for _, label := range labels {
		for _, text := range label.Read() {
			if err := cutter.Cut(text); err != nil {
				out = append(out, vocab.Problem{Label: label.Name, Err: err})
				break
			}
		}
	}
	return out
}

// partOf names a label in a warning. In quotes, white space and characters that are
// not shown can be told apart.
func partOf(label string) string { return "label " + shortened(fmt.Sprintf("%q", label)) }

// distinct is part, with a number if it is taken: long labels are cut, and several
// spaces are shown as one.
func distinct(part string, taken map[string]bool) string {
	out := part
	for n := 2; taken[out]; n++ {
		out = fmt.Sprintf("%s (%d)", part, n)
	}
	return out
}

// shortened is text cut to maxWarning bytes and cleaned.
func shortened(text string) string {
	if len(text) > maxWarning {
		text = text[:maxWarning] + "…"
	}
	return topics.Clean(text)
}
