package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// reviewed is a console that follows a Kafka of its own.
type reviewed struct {
	*Console
	t   testing.TB
	url string
	// token is whose requests are made; empty: those of whoever is on this machine.
	token string
	log   *stagetest.Log
}

func newReviewed(t testing.TB) *reviewed { return newReviewedAs(t, func(*Options) {}) }

// newReviewedBy is one that is used as a configuration says.
func newReviewedBy(t testing.TB, who config.Console) *reviewed {
	return newReviewedAs(t, func(o *Options) { o.Access = who })
}

// newReviewedAs is one with other options.
func newReviewedAs(t testing.TB, change func(*Options)) *reviewed {
	t.Helper()
	broker := kafkatest.StartEmbedded(t)
	quiet := slog.New(slog.DiscardHandler)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	names := topics.Names{Prefix: topics.DefaultPrefix}
	specs := bus.TopicSpecs(names, 2, 1)
	for i := range specs {
		specs[i].Config = map[string]string{"message.timestamp.type": "CreateTime"}
	}
	if err := client.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	bucket, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	past, err := archive.NewReader(archive.ReaderOptions{Log: client, Names: names, Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	table, err := cameras.Open(client, names, quiet)
	if err != nil {
		t.Fatal(err)
	}
	r := &reviewed{t: t, log: &stagetest.Log{}}
	o := Options{
		Bus: client, Names: names, Cameras: table, Past: past, Version: "test", Logger: r.log.Logger(),
		Alerts: alertlog.New(alertlog.Options{Bus: client, Names: names, Reader: past, Bucket: bucket}),
	}
	change(&o)
	if r.Console, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	server := httptest.NewServer(r.Handler())
	t.Cleanup(func() {
		stop()
		server.CloseClientConnections()
		server.Close()
		if err := errors.Join(<-done, bucket.Close(), client.Close()); err != nil {
			t.Error(err)
		}
	})
	r.url = server.URL
	return r
}

// send sends records, old ones at the time that they say.
func (r *reviewed) send(all ...topics.Alert) {
	r.t.Helper()
	var msgs []bus.Message
	for _, a := range all {
		value, err := topics.EncodeAlert(a)
		if err != nil {
			r.t.Fatal(err)
		}
		m := bus.Message{Topic: r.Names.Of(topics.Alerts), Key: []byte(a.Key()), Value: value}
		if time.Since(a.At) > 20*time.Hour {
			m.Time = a.At
		}
		msgs = append(msgs, m)
	}
	if _, err := r.Bus.Send(r.t.Context(), msgs...); err != nil {
		r.t.Fatal(err)
	}
}

func raisedAlert(rule, camera string, ago time.Duration) topics.Alert {
	onset := time.Now().UTC().Truncate(time.Millisecond).Add(-ago)
	clip := topics.ClipID(camera, onset.Add(-time.Hour), time.Hour)
	return topics.Alert{
		ID: topics.AlertID(rule, clip), State: topics.AlertRaised, Rule: rule, Severity: "warning", Camera: camera, Tags: []string{"indoor"}, Label: "falling down",
		Score: .5, Contrast: .8, Measure: "contrast", Threshold: .2, Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: clip, Clip: clip,
	}
}

func clearedAlert(a topics.Alert) topics.Alert {
	a.State, a.At, a.Reason, a.Contrast, a.Score = topics.AlertCleared, a.At.Add(time.Minute), "the contrast fell", 0, 0
	return a
}

// call calls the API; it returns the status, and decodes the answer where out is given.
func (r *reviewed) call(method, path string, body, out any) (status int, text string) {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = strings.NewReader(string(b))
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/api/v1"+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token+secret)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if out != nil && a.StatusCode < 300 {
		if err := json.Unmarshal(b, out); err != nil {
			r.t.Fatalf("%s %s: %v: %.300s", method, path, err, b)
		}
	}
	return a.StatusCode, string(b)
}

type listed struct {
	Alerts []Item `json:"alerts"`
	Next   string `json:"next"`
	Left   int    `json:"left"`
	Day    Day    `json:"day"`
	Fault  string `json:"fault"`
}

func (r *reviewed) list(query string) (l listed) {
	r.t.Helper()
	if status, text := r.call("GET", "/alerts?"+query, nil, &l); status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", query, status, text)
	}
	return l
}

func (l listed) rules() string {
	var out []string
	for _, a := range l.Alerts {
		out = append(out, a.Rule)
	}
	return strings.Join(out, " ")
}

func (r *reviewed) await(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited for %s", what)
		}
	}
}

func (r *reviewed) mark(a topics.Alert, as string) (d Decided) {
	r.t.Helper()
	if status, text := r.call("POST", "/alerts/"+url.PathEscape(a.ID)+"/mark", Marking{Mark: as}, &d); status != http.StatusOK {
		r.t.Fatalf("mark as %s: %d %s", as, status, text)
	}
	return d
}

func (r *reviewed) undo(d Decided) (u Decided) {
	r.t.Helper()
	if status, text := r.call("POST", "/decisions/"+d.Decision+"/undo", struct{}{}, &u); status != http.StatusOK {
		r.t.Fatalf("undo: %d %s", status, text)
	}
	return u
}

// The newest alerts come from memory, older ones from the log, each by pages; filters mean
// the same for both.
func TestAlertsAreListed(t *testing.T) {
	r := newReviewed(t)
	var old []topics.Alert
	for n := range 7 {
		old = append(old, raisedAlert(fmt.Sprintf("old%d", n), "yard", 26*time.Hour+time.Duration(n)*20*time.Hour))
	}
	fall, fence, open := raisedAlert("fall", "ward-1", time.Hour), raisedAlert("fence", "yard", 2*time.Hour), raisedAlert("open", "ward-2", 3*time.Hour)
	fence.Severity, fence.Tags, fence.Label = "critical", nil, "climbing"
	for _, a := range append(old, fall, fence) {
		r.send(a, clearedAlert(a))
	}
	r.send(open)
	ages := raisedAlert("ages", "hall", 100*time.Hour)
	value, err := topics.EncodeAlert(ages)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Bus.Table(r.Names.Of(topics.OpenAlerts)).Put(t.Context(), ages.OpenKey(), value, ages.Camera); err != nil {
		t.Fatal(err)
	}
	r.await("the alerts", func() bool { l := r.list(""); return l.rules() == "fall fence open ages" && l.Fault == "" })
	ago := func(d time.Duration) string { return url.QueryEscape(time.Now().Add(-d).Format(time.RFC3339)) }
	for query, want := range map[string]string{
		"camera=ward-*":                 "fall open",
		"rule=f*":                       "fall fence",
		"label=climbing":                "fence",
		"severity=critical":             "fence",
		"tag=indoor":                    "fall open ages",
		"state=open":                    "open ages",
		"state=cleared&limit=1":         "fall",
		"text=CLIMB":                    "fence",
		"marked=true":                   "",
		"marked=unmarked&state=cleared": "fall fence",
		"from=" + ago(150*time.Minute):  "fall fence",
		"from=" + ago(70*time.Hour):     "fall fence open old0 old1 old2",
		"from=" + ago(200*time.Hour) + "&to=" + ago(day):             "old0 old1 old2 old3 ages old4 old5 old6",
		"from=" + ago(200*time.Hour) + "&rule=old*&limit=2":          "old0 old1",
		"from=" + ago(9000*time.Hour) + "&to=" + ago(8000*time.Hour): "",
	} {
		if got := r.list(query); strings.TrimSpace(strings.Replace(got.rules(), "ages ", "", 1)) != strings.TrimSpace(strings.Replace(want, "ages ", "", 1)) || got.Fault != "" {
			t.Errorf("%s: %q, want %q %s", query, got.rules(), want, got.Fault)
		}
	}
	var paged []string
	next := ""
	for pages := 0; pages == 0 || next != ""; pages++ {
		l := r.list("from=" + ago(200*time.Hour) + "&limit=3&cursor=" + next)
		paged, next = append(paged, strings.Fields(l.rules())...), l.Next
		if pages > 5 {
			t.Fatal("pages without end")
		}
	}
	if got := strings.Join(paged, " "); strings.Replace(got, "ages ", "", 1) != "fall fence open old0 old1 old2 old3 old4 old5 old6" {
		t.Errorf("by pages: %s", got)
	}
	for query, want := range map[string]string{"from=yesterday": "want a time", "camera=[": "want a name, or a glob", "cursor=x": "want the next", "limit=501": "", "marked=perhaps": "", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": "is not before"} {
		if status, text := r.call("GET", "/alerts?"+query, nil, nil); status != http.StatusUnprocessableEntity || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if l := r.list(""); l.Left != 3 || l.Day.Alerts != 3 || l.Alerts[1].Severity != "critical" || l.Alerts[0].State != "cleared" || l.Alerts[0].Value != .8 {
		t.Errorf("%+v", l)
	}
	var d Detail
	if status, text := r.call("GET", "/alerts/"+url.PathEscape(old[3].ID), nil, &d); status != http.StatusOK || d.Rule != "old3" || d.Because != "contrast of falling down was 0.80, and the rule counts it from 0.20 on" || d.Reason != "the contrast fell" || d.Film != "none" {
		t.Errorf("%d %s", status, text)
	}
	if status, text := r.call("GET", "/alerts/fall%2Fward-1-1-1", nil, nil); status != http.StatusNotFound || !strings.Contains(text, "there is no alert") {
		t.Errorf("an id that no alert has: %d %s", status, text)
	}
	var c struct {
		Days  []DayCount `json:"days"`
		Whole bool       `json:"whole"`
	}
	all := 0
	for _, at := range []time.Time{time.Now(), time.Now().AddDate(0, 0, -time.Now().Day())} {
		if status, text := r.call("GET", "/alerts/calendar?zone=Asia/Kolkata&month="+at.In(time.FixedZone("", 19800)).Format("2006-01"), nil, &c); status != http.StatusOK || !c.Whole {
			t.Fatalf("calendar: %d %s", status, text)
		}
		for _, d := range c.Days {
			all += d.Left
		}
	}
	if all != 10 && all != 11 { // where the table alone has the one that is open for ages, its day does too
		t.Errorf("the calendar counts %d", all)
	}
}

// Whatever is asked of an alert that there is not, the answer says so.
func TestAnAlertThatIsNotThere(t *testing.T) {
	r := newReviewed(t)
	for _, what := range []string{"", "/lead", "/strip", "/loop", "/film", "/export"} {
		if status, text := r.call("GET", "/alerts/nobody"+what, nil, nil); status != http.StatusNotFound || !strings.Contains(text, "there is no alert nobody") {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	for what, body := range map[string]any{"/mark": Marking{Mark: sayTrue}, "/silence": map[string]any{"minutes": 5}} {
		if status, text := r.call("POST", "/alerts/nobody"+what, body, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	if status, _ := r.call("GET", "/alerts/calendar", nil, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a calendar of no month: %d", status)
	}
}
