package console

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// partly is a console over alerts of the ward, which "limited" and "looker" see, of the
// vault, which they don't, and of both.
func partly(t *testing.T) (r *reviewed, ward, vault, both topics.Alert) {
	t.Helper()
	who := people()
	who.Tokens = append(who.Tokens,
		config.ConsoleToken{Name: "looker", Role: "viewer", Token: "looker" + secret, Tags: []string{"ward"}},
		config.ConsoleToken{Name: "carer", Role: "operator", Token: "carer" + secret, Tags: []string{"ward"}})
	r = newReviewedBy(t, who)
	r.token = "admin"
	r.tag("ward", "ward")
	r.tag("vault", "cellar")
	ward, vault, both = raisedAlert("fall", "ward", time.Hour), raisedAlert("fence", "vault", 2*time.Hour), raisedAlert("crowd", "ward", 3*time.Hour)
	both.Cameras, both.Reason = []string{"vault", "ward"}, "seen by 2 cameras: vault, ward"
	r.send(ward, clearedAlert(ward), vault, both)
	r.await("the alerts", func() bool { return r.list("").Left == 3 })
	return r, ward, vault, both
}

// tag puts a camera onto the table, with its tags.
func (r *reviewed) tag(camera string, tags ...string) {
	r.t.Helper()
	err := r.Cameras.Put(r.t.Context(), topics.Camera{Name: camera, URL: "rtsp://127.0.0.1:1/" + camera, Tags: tags})
	if err != nil {
		r.t.Fatal(err)
	}
	r.await("the camera's tags", func() bool {
		tile, _, known := r.wall.tile(camera, who{All: true})
		return known && fmt.Sprint(tile.Tags) == fmt.Sprint(tags)
	})
}

func at(a topics.Alert) string { return "/alerts/" + url.PathEscape(a.ID) }

// Who sees some cameras only is told of the alerts of these, and of no other.
func TestAlertsAreListedForWhoSeesTheirCameras(t *testing.T) {
	r, ward, vault, both := partly(t)
	old, oldWard := raisedAlert("old", "vault", 50*time.Hour), raisedAlert("oldward", "ward", 51*time.Hour)
	r.send(old, oldWard)
	since := "from=" + url.QueryEscape(time.Now().Add(-100*time.Hour).Format(time.RFC3339))
	month := func() (n int) {
		for _, at := range []time.Time{time.Now(), time.Now().AddDate(0, 0, -time.Now().Day())} {
			var c struct {
				Days []DayCount `json:"days"`
			}
			if status, text := r.call("GET", "/alerts/calendar?month="+at.UTC().Format("2006-01"), nil, &c); status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
			for _, d := range c.Days {
				n += d.Alerts
			}
		}
		return n
	}
	if got := r.list(since).rules(); got != "fall fence crowd old oldward" || month() != 5 {
		t.Errorf("an admin is shown %s, %d in the calendar", got, month())
	}
	for _, token := range []string{"looker", "carer", "limited"} {
		r.token = token
		l := r.list("")
		if l.rules() != "fall" || l.Left != 1 || l.Day.Alerts != 1 || l.Day.Most != "ward" || l.Day.MostN != 1 {
			t.Errorf("%s is shown %+v", token, l)
		}
		if got := r.list(since).rules(); got != "fall oldward" || month() != 2 {
			t.Errorf("%s is shown %s, %d in the calendar", token, got, month())
		}
		// A cursor names the alert before it.
		page := r.list(since + "&limit=1")
		if p, err := placeOf(page.Next); err != nil || p.id != ward.ID || page.rules() != "fall" {
			t.Errorf("%s: %s, %+v %v", token, page.rules(), p, err)
		}
		if next := r.list(since + "&limit=1&cursor=" + page.Next); next.rules() != "oldward" || next.Next != "" {
			t.Errorf("%s: then %+v", token, next)
		}
		for _, query := range []string{"camera=vault", "rule=fence", "text=vault", "tag=cellar", "marked=unmarked&rule=crowd"} {
			if got := r.list(query); len(got.Alerts) != 0 {
				t.Errorf("%s by %s: %+v", token, query, got.Alerts)
			}
		}
		for _, what := range []string{"", "/lead", "/strip", "/loop", "/film", "/export"} {
			for _, a := range []topics.Alert{vault, both, old} {
				guess := strings.Replace(a.ID, "-", "-9", 1)
				status, text := r.call("GET", at(a)+what, nil, nil)
				guessed, unknown := r.call("GET", "/alerts/"+url.PathEscape(guess)+what, nil, nil)
				if status != http.StatusNotFound || guessed != status || strings.ReplaceAll(unknown, guess, a.ID) != text {
					t.Errorf("%s of %s as %s: %d %s, of one that there is not: %d %s", what, a.Rule, token, status, text, guessed, unknown)
				}
			}
		}
		var d Detail
		if status, text := r.call("GET", at(ward), nil, &d); status != http.StatusOK || d.Rule != "fall" || strings.Contains(text, "vault") {
			t.Errorf("%s: %d %s", token, status, text)
		}
		if status, _ := r.call("GET", at(ward)+"/lead", nil, nil); status != http.StatusOK {
			t.Errorf("the lead: %d", status)
		}
		if status, text := r.call("GET", at(oldWard), nil, nil); status != http.StatusOK {
			t.Errorf("an older one: %d %s", status, text)
		}
	}
}

// What was exported has no position of Kafka, by which others' alerts could be counted.
func TestAnExportIsOfWhatIsSeen(t *testing.T) {
	r, ward, _, _ := partly(t)
	ward.Evidence = &topics.RecordRef{Topic: "frostwatch.evidence", Offset: 4711}
	r.send(ward)
	r.await("its evidence", func() bool { return r.list("rule=fall").Alerts[0].Evidence })
	for token, want := range map[string]bool{"admin": true, "looker": false} {
		r.token = token
		_, text := r.call("GET", at(ward)+"/export", nil, nil)
		z, err := zip.NewReader(strings.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.Open("alert.json")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(f)
		if has := strings.Contains(string(b), "4711"); has != want || !strings.Contains(string(b), ward.ID) {
			t.Errorf("%s: %s", token, b)
		}
	}
}

// Whoever does not see an alert says nothing of it, and undoes nothing.
func TestAlertsAreDecidedByWhoSeesThem(t *testing.T) {
	r, ward, vault, both := partly(t)
	mark := Marking{Mark: sayTrue}
	r.token = "looker"
	if status, _ := r.call("POST", at(ward)+"/mark", mark, nil); status != http.StatusForbidden {
		t.Errorf("a viewer marks: %d", status)
	}
	r.token = "carer"
	for _, a := range []topics.Alert{vault, both} {
		for what, body := range map[string]any{"/mark": mark, "/silence": map[string]any{"minutes": 5}} {
			if status, text := r.call("POST", at(a)+what, body, nil); status != http.StatusNotFound || !strings.Contains(text, "there is no alert "+a.ID) {
				t.Errorf("%s of %s: %d %s", what, a.Rule, status, text)
			}
		}
	}
	var d Decided
	all := map[string]any{"mark": "true", "alerts": []string{ward.ID, vault.ID, both.ID, "fall/vault-1-1"}}
	if status, text := r.call("POST", "/alerts/marks", all, &d); status != http.StatusOK || d.Alerts != 1 || len(d.Failed) != 3 || d.Left != 0 {
		t.Fatalf("%d %s", status, text)
	}
	for _, f := range d.Failed {
		if f.Reason != "there is no alert "+f.ID {
			t.Errorf("%+v", f)
		}
	}
	marks, err := r.Alerts.Marks(t.Context())
	if err != nil || len(marks) != 1 || !marks[ward.ID].True {
		t.Errorf("%+v %v", marks, err)
	}
	if status, text := r.call("POST", at(ward)+"/silence", map[string]any{"minutes": 5}, nil); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	// A decision of others is as unknown as none, and so is one's own of what is hidden by now.
	r.token = "admin"
	others := r.mark(vault, sayFalse)
	undo := func(d Decided) (int, string) {
		return r.call("POST", "/decisions/"+d.Decision+"/undo", struct{}{}, nil)
	}
	r.token = "carer"
	for what, one := range map[string]Decided{"others'": others, "none": {Decision: "none"}} {
		if status, text := undo(one); status != http.StatusNotFound || !strings.Contains(text, "can't be taken back") {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	r.tag("ward")
	if status, text := undo(d); status != http.StatusNotFound || !strings.Contains(text, "can't be taken back") {
		t.Errorf("of an alert that is hidden by now: %d %s", status, text)
	}
	if status, _ := r.call("GET", at(ward), nil, nil); status != http.StatusNotFound {
		t.Errorf("without the tag the alert is shown: %d", status)
	}
	if l := r.list(""); len(l.Alerts) != 0 || l.Left != 0 || l.Day.Alerts != 0 {
		t.Errorf("without the tag: %+v", l)
	}
	r.tag("ward", "ward")
	if status, text := undo(d); status != http.StatusOK {
		t.Errorf("with the tag again: %d %s", status, text)
	}
}

// With all its cameras an alert of several is seen, but silencing it would silence others.
func TestWhoSeesAllCamerasOfAnAlertSeesIt(t *testing.T) {
	r, _, _, both := partly(t)
	r.tag("vault", "cellar", "ward")
	r.token = "carer"
	if l := r.list(""); l.rules() != "fall fence crowd" || l.Left != 3 {
		t.Errorf("%+v", l)
	}
	if status, text := r.call("POST", at(both)+"/silence", map[string]any{"minutes": 5}, nil); status != http.StatusForbidden || !strings.Contains(text, "who sees every camera") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := r.call("POST", at(both)+"/mark", Marking{Mark: sayTrue}, nil); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

// The line at the bottom changes, and comes, with what is seen alone.
func TestOthersAlertsChangeNothing(t *testing.T) {
	w := newWall()
	w.setCameras([]cameras.Entry{streaming("ward", "ward"), streaming("vault", "cellar")})
	q := newQueue(time.Now(), w)
	carer := who{Name: "carer", Role: operator, Tags: []string{"ward"}}
	s, _, err := w.look(carer)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	now := time.Now()
	look := func() string {
		woken := false
		select {
		case <-s.wake:
			woken = true
		default:
		}
		n, version := q.left(w.sight(carer), now, true)
		tiles, _ := json.Marshal(w.all(carer))
		return fmt.Sprint(woken, n, version, w.line(carer).Open, string(tiles))
	}
	for name, ours := range map[string]bool{"fall": true, "fence": false, "crowd": false, "forged": false} {
		a := raisedAlert(name, "ward", time.Hour)
		switch name {
		case "fence":
			a = raisedAlert(name, "vault", time.Hour)
		case "crowd":
			a.Cameras = []string{"vault", "ward"}
		case "forged": // its id is of another camera, whose film would be shown
			a.ID = "forged/vault-1-2"
		}
		m := alertlog.View{Alert: a}.NewMark(true, now)
		for what, change := range map[string]func(){
			"an alert":          func() { q.add(a, now) },
			"a mark":            func() { q.setMark(a.ID, &m, topics.RecordRef{Offset: 1}) },
			"the end of a mark": func() { q.setMark(a.ID, nil, topics.RecordRef{Offset: 2}) },
			"what is set aside": func() {
				q.aside("carer", []made{{id: a.ID, after: position{later: true}}}, func(m made) position { return m.after })
			},
			"an open alert":       func() { w.setOpen(a.OpenKey(), &a) },
			"the end of an alert": func() { w.setOpen(a.OpenKey(), nil) },
		} {
			_ = look()
			before := look()
			change()
			if after := look(); !ours && after != before {
				t.Errorf("%s of %s: %s, was %s", what, name, after, before)
			}
		}
		for _, change := range []func(){func() { a.At = a.At.Add(time.Second); q.add(a, now) }, func() { w.setOpen(a.OpenKey(), &a) }} {
			before := look()
			change()
			if after := look(); ours == (after == before) {
				t.Errorf("%s: %s, was %s", name, after, before)
			}
		}
	}
	q.add(raisedAlert("another", "ward", time.Minute), now)
	if n, _ := q.left(w.sight(carer), now, true); n == 0 {
		t.Errorf("%d are left", n)
	}
	w.setCameras([]cameras.Entry{streaming("ward"), streaming("vault", "cellar")})
	if n, _ := q.left(w.sight(carer), now, false); n != 0 {
		t.Errorf("without the tag %d are left", n)
	}
}

func TestCamerasOfIDs(t *testing.T) {
	a := raisedAlert("fall", "ward-2", time.Hour)
	stream := a
	stream.ID = topics.StreamAlertID("away", "ward-2", "offline", time.Now())
	stream.Rule = "away"
	for _, c := range []struct {
		a     topics.Alert
		named string
		sees  map[string]bool
	}{
		{a, "ward-2", map[string]bool{"ward-2": true, "ward": false}},
		{stream, "ward-2", map[string]bool{"ward-2": true, "ward": false}},
	} {
		if b := aboutOf(c.a); !b.whole || fmt.Sprint(b.cameras) != "["+c.named+"]" {
			t.Errorf("%s: %+v", c.a.ID, b)
		}
		for name, want := range c.sees {
			s := sight{cameras: map[string]struct{}{name: {}}}
			if s.mayBe(c.a.ID) != want || s.alert(aboutOf(c.a)) != want {
				t.Errorf("%s by who sees %s", c.a.ID, name)
			}
		}
	}
	for range topics.MaxAlertCameras {
		a.Cameras = append(a.Cameras, "ward-2")
	}
	if aboutOf(a).whole {
		t.Error("an alert that names as many cameras as it can may be about others")
	}
	slash := sight{cameras: map[string]struct{}{"ward": {}}}
	if !slash.mayBe("a/rule/ward-1-2") || slash.mayBe("a/rule/vault-1-2") || slash.mayBe("") || slash.mayBe("x") {
		t.Error("rules with a slash in their names")
	}
}
