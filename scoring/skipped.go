package scoring

import (
	"fmt"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const (
	// maxWarnings bounds the labels that have a warning of their own; of others
	// only their number is reported.
	maxWarnings = 50
	maxWarning  = 300 // bytes of a label and of a reason, which anyone may have written
)

// warnSkipped reports a warning for each label that can't be used, and withdraws
// it once the label can be used or is removed.
func (l *Live) warnSkipped(problems []vocab.Problem) {
	warned := map[string]bool{}
	warn := func(part string, why error) {
		warned[part] = true
		l.Reporter.Warning(part, why)
	}
	for _, p := range problems[:min(maxWarnings, len(problems))] {
		warn(fmt.Sprintf("label %q", shortened(p.Label)), fmt.Errorf("skipped: %s", shortened(p.Err.Error())))
	}
	if more := len(problems) - maxWarnings; more > 0 {
		warn("labels", fmt.Errorf("%d more of vocabulary %s are skipped", more, shortened(l.usable.Name)))
	}
	for part := range l.warned {
		if !warned[part] {
			l.Reporter.Warning(part, nil)
		}
	}
	l.warned = warned
}

// shortened is text cut to maxWarning bytes and cleaned.
func shortened(text string) string {
	if len(text) > maxWarning {
		text = text[:maxWarning] + "…"
	}
	return topics.Clean(text)
}
