package console

import (
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// alertsInput is which alerts are listed.
type alertsInput struct {
	From     string `query:"from" maxLength:"40" doc:"raised from this time on, RFC 3339 (default: a day ago, and what is still open)"`
	To       string `query:"to" maxLength:"40" doc:"raised before this time, RFC 3339"`
	Camera   string `query:"camera" maxLength:"200" doc:"name or glob"`
	Rule     string `query:"rule" maxLength:"512" doc:"name or glob"`
	Label    string `query:"label" maxLength:"512" doc:"name or glob"`
	Severity string `query:"severity" maxLength:"512"`
	Tag      string `query:"tag" maxLength:"128" doc:"of the camera"`
	State    string `query:"state" enum:"open,cleared"`
	Marked   string `query:"marked" enum:"true,false,later,unmarked" doc:"what was decided; unmarked: neither that nor set aside by who asks"`
	Text     string `query:"text" maxLength:"200" doc:"in the id, the label or a reason"`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor   string `query:"cursor" maxLength:"3000" doc:"next of the page before"`
}

// alertFilter is an alertsInput that was understood.
type alertFilter struct {
	alertsInput
	from, to time.Time // a zero from: a day ago, and what is open
	text     string
	after    *place
}

// place is that of an alert in a list: the next page begins after it.
type place struct {
	at time.Time
	id string
}

func (in *alertsInput) filter() (f alertFilter, err error) {
	f = alertFilter{alertsInput: *in, text: strings.ToLower(in.Text)}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"from", in.From, &f.from}, {"to", in.To, &f.to}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil || t.to.Year() < 1 || t.to.Year() > 9998 {
			return f, fmt.Errorf("%s %q: want a time as RFC 3339, such as 2026-03-01T14:00:00Z", t.name, topics.Clean(t.text))
		}
	}
	if !f.from.IsZero() && !f.to.IsZero() && !f.from.Before(f.to) {
		return f, fmt.Errorf("from %s is not before to %s", in.From, in.To)
	}
	for name, glob := range map[string]string{"camera": in.Camera, "rule": in.Rule, "label": in.Label} {
		if _, err := path.Match(glob, ""); err != nil {
			return f, fmt.Errorf("%s %q: want a name, or a glob such as ward-*", name, topics.Clean(glob))
		}
	}
	if in.Cursor != "" {
		if f.after, err = placeOf(in.Cursor); err != nil {
			return f, err
		}
	}
	return f, nil
}

func placeOf(cursor string) (*place, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	nanos, id, ok := strings.Cut(string(text), " ")
	n, wrong := strconv.ParseInt(nanos, 10, 64)
	if err != nil || wrong != nil || !ok {
		return nil, fmt.Errorf("cursor: want the next of another page")
	}
	return &place{time.Unix(0, n), id}, nil
}

func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.at.UnixNano(), 10) + " " + p.id))
}

// passed is whether an alert was on a page before.
func (f alertFilter) passed(v alertlog.View) bool {
	return f.after != nil && newestFirst(v, alertlog.View{Alert: topics.Alert{ID: f.after.id, At: f.after.at}}) <= 0
}

// takes is whether an alert is listed, by what its records say.
func (f alertFilter) takes(v alertlog.View) bool {
	switch {
	case !f.to.IsZero() && !v.At.Before(f.to) || v.At.Before(f.from),
		!alertlog.OfCamera(f.Camera, v.Alert), !alertlog.Matches(f.Rule, v.Rule), !alertlog.Matches(f.Label, v.Label),
		f.Severity != "" && v.Severity != f.Severity,
		f.Tag != "" && !slices.Contains(v.Tags, f.Tag),
		f.State != "" && f.State != v.Word():
		return false
	}
	return f.text == "" || slices.ContainsFunc([]string{v.ID, v.Camera, v.Rule, v.Label, v.Reason, v.RaiseReason}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), f.text)
	})
}

// decided is whether an alert is listed, by what was said of it.
func (f alertFilter) decided(o opinions) bool {
	switch f.Marked {
	case "true", "false":
		return o.mark != nil && o.mark.True == (f.Marked == "true")
	case "later":
		return o.mark == nil && o.later
	case "unmarked":
		return o.mark == nil && !o.later
	}
	return true
}
