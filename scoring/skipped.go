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

// warnings are the labels that are reported as skipped.
type warnings struct {
	mu       sync.Mutex
	reported map[string]bool   // parts with a warning at present
	of       *vocab.Vocabulary // the content that they are about; nil: to be worked out again
	why      map[string]error  // texts that the model refused when it was last asked
}

// watchSkipped keeps the warnings up to date until ctx ends. It does not wait for
// the model, which may be embedding for minutes.
func (l *Live) watchSkipped(ctx context.Context) {
	for {
		_, changed := l.Watcher.Current()
		l.warnSkipped(ctx)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// refused replaces the texts that the model refuses.
func (l *Live) refused(ctx context.Context, texts map[string]error) {
	l.warnings.mu.Lock()
	l.warnings.why, l.warnings.of = texts, nil
	l.warnings.mu.Unlock()
	l.warnSkipped(ctx)
}

// warnSkipped reports a warning for each label that can't be used, and withdraws it
// once the label can be used or is removed. It also counts them. It goes by the content that the Watcher
// read last, even if it is not in force yet or is refused as a whole: that is what
// people edit.
func (l *Live) warnSkipped(ctx context.Context) {
	l.warnings.mu.Lock()
	defer l.warnings.mu.Unlock()
	read := l.Watcher.Read()
	if read == nil || read == l.warnings.of {
		return
	}
	l.warnings.of = read
	problems := without(*read, l.warnings.why).Problems
	l.skipped.Record(ctx, int64(len(problems)))
	reported := map[string]bool{}
	warn := func(part string, why error) {
		reported[part] = true
		l.Reporter.Warning(part, why)
	}
	for _, p := range problems[:min(maxWarnings, len(problems))] {
		warn(distinct(partOf(p.Label), reported), fmt.Errorf("skipped: %s", shortened(p.Err.Error())))
	}
	if more := len(problems) - maxWarnings; more > 0 {
		warn("labels", fmt.Errorf("%d more of vocabulary %s are skipped", more, shortened(read.Name)))
	}
	for part := range l.warnings.reported {
		if !reported[part] {
			l.Reporter.Warning(part, nil)
		}
	}
	l.warnings.reported = reported
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
