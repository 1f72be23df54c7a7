package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// verdicts reads what second opinions said of alerts, by alert. Alerts are shown without
// them where they can't be read, and notes gets the reason.
func (p *pastAlerts) verdicts(ctx context.Context, notes io.Writer) map[string]topics.Verdict {
	said, err := p.Verdicts(ctx)
	if err != nil {
		_, _ = fmt.Fprintf(notes, "second opinions are not shown: %s\n", topics.Clean(err.Error()))
	}
	return said
}

// verdictWord is what a second opinion said of the alert, "-" where none did.
func verdictWord(v alertlog.View) string {
	if v.Verdict == nil {
		return "-"
	}
	return string(v.Verdict.Says)
}

// verdictText is what a second opinion said of the alert, in words.
func verdictText(v alertlog.View) string {
	if v.Verdict == nil {
		return ""
	}
	text := v.Verdict.String()
	if v.Verdict.Seconds > 0 {
		text += fmt.Sprintf(" (%s, %.1f s)", v.Verdict.Model, v.Verdict.Seconds)
	}
	return text
}

// askedText is what a second opinion was asked about the alert.
func askedText(v alertlog.View) string {
	if v.Verdict == nil {
		return ""
	}
	return v.Verdict.Question
}
