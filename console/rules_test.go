package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/topics"
)

// ruledConsole is a console over a Redis of its own, with the rule fall in the file and
// cameras in the ward.
func ruledConsole(t *testing.T, log *slog.Logger) (*Console, *redistest.Server, func(method, path, body string) (int, string)) {
	t.Helper()
	s := redistest.Start(t)
	c, server := servedAs(t, config.Console{}, log)
	c.Redis, c.Config = s.Client, config.Default()
	c.Config.Redis.Prefix = "f:"
	file, err := alerts.NewRuleSet(alerts.Rule{Name: "fall", Actions: []string{"falling down"}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetRuleSources(file, nil)
	s.HSet(t, "f:vocab:default", "falling down", "", "running", "")
	return c, s, func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		return answer(t, r)
	}
}

func answer(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	var raw json.RawMessage
	if err := json.NewDecoder(a.Body).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(raw)
}

func wants(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("got %s\nwant %s", got, w)
		}
	}
}

func TestRulesAreEditedByTheAPI(t *testing.T) {
	var said strings.Builder
	c, s, ask := ruledConsole(t, slog.New(slog.NewTextHandler(&said, nil)))
	code, text := ask("PUT", "/api/v1/rules/run", `{"text": "# why\nactions: [runnin]\n", "fields": {"clips": "2 of 3"}, "new": true}`)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	wants(t, text, `"what":"added"`, `(there is \"running\")`, "no alerts worker has reported itself")
	if got := s.Client.HGet(t.Context(), "f:rules", "run").Val(); got != "# why\nactions: [runnin]\nclips: 2 of 3\n" && got != "# why\nactions:\n- runnin\nclips: 2 of 3\n" {
		t.Errorf("stored %q", got)
	}
	_, text = ask("GET", "/api/v1/rules", "")
	wants(t, text, `"rule":"fall","from":"file"`, `"rule":"run","from":"redis"`, `the vocabulary default has no label \"runnin\"`, `"by":"`+c.local.Name)
	_, text = ask("GET", "/api/v1/rules/run", "")
	var d RuleDetail
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.Base == "" || *d.Fields.Clips != "2 of 3" {
		t.Fatalf("%v %s", err, text)
	}
	for _, b := range []struct {
		path, body string
		code       int
		want       string
	}{
		{"run", `{"text": "actions: [running]\nclips: 3 of 2\n"}`, 422, "clips: 3 of 2: want N of M"},
		{"run", `{"text": "actions: [running]\nclip: 2 of 3\n"}`, 422, "clip: unknown key"},
		{"fall", `{"text": "actions: [running]\n"}`, 422, "edit it there"},
		{"run", `{"text": "actions: [running]\n", "new": true}`, 409, "choose another name"},
		{"run", `{"text": "actions: [running]\n", "base": "old"}`, 409, "somebody has changed"},
	} {
		if code, text := ask("PUT", "/api/v1/rules/"+b.path, b.body); code != b.code || !strings.Contains(text, b.want) {
			t.Errorf("%s: %d %s", b.body, code, text)
		}
	}
	if code, text := ask("PUT", "/api/v1/rules/run", fmt.Sprintf(`{"text": "actions: [running]\n", "base": %q}`, d.Base)); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	_, text = ask("GET", "/api/v1/rulebook/history?rule=run", "")
	var h struct{ Edits []RuleEdit }
	if err := json.Unmarshal([]byte(text), &h); err != nil || len(h.Edits) != 2 {
		t.Fatalf("%v %s", err, text)
	}
	_, text = ask("POST", "/api/v1/rulebook/rollback", fmt.Sprintf(`{"version": %q}`, h.Edits[1].Version))
	wants(t, text, `"what":"restored"`)
	wants(t, s.Client.HGet(t.Context(), "f:rules", "run").Val(), "runnin")
	if code, text := ask("DELETE", "/api/v1/rules/run", `{}`); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	if code, text := ask("DELETE", "/api/v1/rules/fall", `{}`); code != http.StatusNotFound || !strings.Contains(text, "remove it there") {
		t.Errorf("%d %s", code, text)
	}
	wants(t, said.String(), `what="put rule" rule=run did=added`, `what="restore rules"`, `what="remove rule" rule=run`)
}

func TestAChangeIsCheckedBeforeItIsSaved(t *testing.T) {
	_, _, ask := ruledConsole(t, slog.New(slog.DiscardHandler))
	_, text := ask("POST", "/api/v1/rulebook/check", `{"rule": "x", "text": "actions: [nothing]\n", "fields": {"false_alarms": "2 per day"}}`)
	wants(t, text, `at most "},{"field":"false_alarms","text":"2 false alarms per day"}`, `has no label \"nothing\"`, `"unknown":[{"field":"actions","name":"nothing"}]`)
	_, text = ask("GET", "/api/v1/rulebook/names", "")
	wants(t, text, `"labels":["falling down","running"],"cameras":[]`)
	_, text = ask("POST", "/api/v1/rulebook/check", `{"rule": "x", "text": "actions: [nothing]\n", "fields": {"false_alarms": "few"}}`)
	wants(t, text, `"wrong":"`, `false_alarms`, `want a number per hour`)
}

// What a rule does on each camera, and what keeps it from doing anything.
func TestARulesStateOnEachCamera(t *testing.T) {
	c, s, ask := ruledConsole(t, slog.New(slog.DiscardHandler))
	s.HSet(t, "f:rules", "budget", "actions: [running]\nfalse_alarms: 1 per week\n", "lost", "actions: [nothing]\ncameras: [lobby]\n", "bad", "actions: [")
	c.wall.setCameras([]cameras.Entry{streaming("lobby", "ward"), streaming("vault", "ward"), streaming("yard")})
	now := time.Now()
	for _, name := range []string{"lobby", "vault"} {
		r := recognised(name, 1)
		r.Start, r.End = now.Add(-4*time.Second), now
		c.wall.setRecognition(r)
	}
	c.wall.setOpen("lobby/fall", &topics.Alert{ID: "1", Rule: "fall", Camera: "lobby", Severity: "critical", Label: "falling down", Onset: now})
	k, err := c.rules.checked.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k.around.Vocabularies = map[string]string{}
	r, _ := k.all.On("budget", "vault", []string{"ward"})
	c.wall.setLimit(topics.RuleKey("vault", "budget"), &topics.Threshold{Camera: "vault", Rule: "budget", RuleHash: r.Hash(), Raise: 0.4, At: now})
	states := func(name string) (out string) {
		for _, o := range c.onCameras(&k, name, now) {
			out += fmt.Sprintf("%s: %s %v; ", o.Camera, o.State, o.Raise)
		}
		return out
	}
	for name, want := range map[string]string{
		"fall":   "lobby: alert open 0.2; vault: watching 0.2; yard: no clip 0.2; ",
		"budget": "lobby: budget not learned yet 0.2; vault: watching 0.4; yard: no clip 0.2; ",
		"lost":   "lobby: unknown label 0.2; ",
	} {
		if got := states(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	_, text := ask("GET", "/api/v1/rules/bad", "")
	wants(t, text, `"skipped":"value:`, `"text":"actions: ["`)
}

// A thousand long rules are parsed once, and not for each list.
func TestALongListIsParsedOnce(t *testing.T) {
	c, s, _ := ruledConsole(t, slog.New(slog.DiscardHandler))
	long := "actions: [running]\n" + strings.Repeat("# why\n", 100)
	for i := range 300 {
		if err := s.Client.HSet(t.Context(), "f:rules", fmt.Sprintf("r%d", i), long).Err(); err != nil {
			t.Fatal(err)
		}
	}
	first, err := c.rules.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.rules.all(t.Context())
	if err != nil || again.all != first.all || len(first.all.Names()) != 301 {
		t.Errorf("%v: %d rules, read anew: %v", err, len(first.all.Names()), again.all != first.all)
	}
}

// Alerts are counted by rule and week, and by what people said. A day that is over long
// since is read once; what can't be read is said, and hides nothing newer.
func TestAlertsOfRulesAreCounted(t *testing.T) {
	c, _, _ := ruledConsole(t, slog.New(slog.DiscardHandler))
	now := time.Now().UTC()
	c.queue.since = now.AddDate(0, 0, -8) // nothing older is asked for
	bucket, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Alerts.Bucket = bucket
	for i, rule := range []string{"fall", "fall", "other"} {
		a := topics.Alert{ID: fmt.Sprint(i), Rule: rule, Camera: "lobby", At: now.AddDate(0, 0, -3*i), Onset: now}
		c.queue.add(a, now)
	}
	c.queue.setMark("0", &topics.Mark{Alert: "0", True: true}, topics.RecordRef{})
	var passes int
	var fault error
	c.rules.year.each = func(_ context.Context, g archive.Range, fn func(topics.Alert)) error {
		if passes++; !g.Until.Equal(dayOf(now).AddDate(0, 0, -6-7*(passes-1))) || g.Until.Sub(g.Since) != 7*day {
			t.Errorf("pass %d reads from %s to %s", passes, g.Since, g.Until)
		}
		for n := range 5 { // twice the same, a clear, and two that are not asked for
			a := topics.Alert{ID: fmt.Sprint("old", passes, n/2), State: topics.AlertRaised, Rule: "fall", At: g.Since.AddDate(0, 0, n)}
			switch n {
			case 1:
				a.At = g.Since
			case 2:
				a.State = topics.AlertCleared
			case 3:
				a.At = g.Until
			case 4:
				a.Rule = "gone"
			}
			fn(a)
		}
		if passes == 4 {
			return fault
		}
		return nil
	}
	fault = errors.New("the bucket is away")
	oldest := dayOf(now).Add(-(stripDays - 1) * day)
	out, from, err := c.countRules(t.Context(), []string{"fall", "other"}, now)
	if err == nil || !from.Equal(dayOf(now).AddDate(0, 0, -6-21)) || out["fall"].Weeks[stripWeeks-4] != 1 || out["fall"].Weeks[stripWeeks-5] != 0 || out["fall"].Weeks[stripWeeks-1] != 2 {
		t.Errorf("%v, from %s: %+v", err, from, out["fall"])
	}
	passes, fault = 3, nil
	for range 2 {
		out, from, err = c.countRules(t.Context(), []string{"fall", "other"}, now)
		if f := out["fall"]; err != nil || !from.Equal(oldest) || f.Judged != (Judged{2, 1, 0, 1}) || f.Weeks[0] != 1 || f.Weeks[stripWeeks-2] != 1 || out["other"].Week != 1 || passes != stripWeeks-1 {
			t.Errorf("%v, from %s, %d passes: %+v %+v", err, from, passes, f, out["other"])
		}
	}
	if err := bucket.Close(); err != nil {
		t.Error(err)
	}
	c.Alerts.Bucket = nil
	if out, from, err = c.countRules(t.Context(), []string{"fall"}, now); err != nil || !from.Equal(dayOf(now).AddDate(0, 0, -89)) || out["fall"].Weeks[0] != 0 || out["fall"].Weeks[stripWeeks-12] != 1 {
		t.Errorf("without an archive: %v, from %s: %+v", err, from, out["fall"])
	}
}

// A pass that takes too long is tried again with fewer days.
func TestALongPassIsMadeShorter(t *testing.T) {
	today := dayOf(time.Now())
	var days []int
	y := newRuleYear(maphash.MakeSeed(), nil)
	y.each = func(ctx context.Context, g archive.Range, _ func(topics.Alert)) error {
		days = append(days, int(g.Until.Sub(g.Since)/day))
		<-ctx.Done()
		return ctx.Err()
	}
	y.time = time.Millisecond
	oldest := today.AddDate(0, 0, -100)
	for range 2 {
		if err := y.pass(t.Context(), today, oldest); err != nil {
			t.Error(err)
		}
	}
	if err := y.pass(t.Context(), today, oldest); err == nil || fmt.Sprint(days) != "[7 3 1]" || y.known(today) {
		t.Errorf("%v %v", err, days)
	}
}
