package scoring

import (
	"fmt"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const (
	// maxWarnings bounds the labels that are warned of one by one; what more there
	// are is a number.
	maxWarnings = 50
	maxWarning  = 300 // bytes of a name and of a reason, which are anyone's
)

// warnSkipped warns of the labels that can't be used, until they can or are gone.
func (l *Live) warnSkipped(problems []vocab.Problem) {
	warned := map[string]bool{}
	warn := func(part string, why error) {
		warned[part] = true
		l.Reporter.Warning(part, why)
	}
	for _, p := range problems[:min(maxWarnings, len(problems))] {
		warn("label "+shortened(p.Label), fmt.Errorf("skipped: %s", shortened(p.Err.Error())))
	}
	if more := len(problems) - maxWarnings; more > 0 {
		warn("labels", fmt.Errorf("%d more are skipped: `frostwatch vocab ls` lists them", more))
	}
	for part := range l.warned {
		if !warned[part] {
			l.Reporter.Warning(part, nil)
		}
	}
	l.warned = warned
}

func shortened(text string) string {
	if len(text) > maxWarning {
		text = text[:maxWarning] + "…"
	}
	return topics.Clean(text)
}
