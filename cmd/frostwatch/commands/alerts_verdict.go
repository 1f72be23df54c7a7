package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/frostwatch/frostwatch/topics"
)

// verdicts reads what second opinions said of alerts, by alert. Alerts are shown without
// them where they can't be read, and notes gets the reason.
func (p *pastAlerts) verdicts(ctx context.Context, notes io.Writer) map[string]topics.Verdict {
	out := map[string]topics.Verdict{}
	listed, err := p.bus.Table(p.names.Of(topics.Verdicts)).List(ctx)
	if err != nil {
		_, _ = fmt.Fprintf(notes, "second opinions are not shown: read the verdicts: %s\n", topics.Clean(err.Error()))
		return out
	}
	for id, m := range listed {
		if v, err := topics.DecodeVerdict(m.Value); err == nil && v.Alert == id {
			out[id] = v
		}
	}
	return out
}

// opinion is the alert with what a second opinion said of it.
func (v alertView) opinion(by map[string]topics.Verdict) alertView {
	if said, is := by[v.ID]; is {
		v.Verdict = &said
	}
	return v
}

// verdictWord is what a second opinion said of the alert, "-" where none did.
func (v alertView) verdictWord() string {
	if v.Verdict == nil {
		return "-"
	}
	return string(v.Verdict.Says)
}

// verdictText is what a second opinion said of the alert, in words.
func (v alertView) verdictText() string {
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
func (v alertView) askedText() string {
	if v.Verdict == nil {
		return ""
	}
	return v.Verdict.Question
}
