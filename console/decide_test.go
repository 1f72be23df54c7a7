package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What is decided is the record that `alerts mark` writes, is counted at once, and can be
// taken back where nobody has said something else since.
func TestAlertsAreDecided(t *testing.T) {
	r := newReviewed(t)
	a, b, c := raisedAlert("fall", "ward", time.Hour), raisedAlert("fence", "yard", 2*time.Hour), raisedAlert("crowd", "hall", 50*time.Hour)
	r.send(a, clearedAlert(a), b, c)
	r.await("the alerts", func() bool { return r.list("").Left == 2 && r.list("state=cleared").rules() == "fall" })
	if d := r.mark(a, sayTrue); d.Alerts != 1 || d.Left != 1 {
		t.Errorf("%+v", d)
	}
	recorded := func() map[string]topics.Mark {
		marks, err := r.Alerts.Marks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return marks
	}
	if m := recorded()[a.ID]; !m.True || m.Camera != "ward" || m.Contrast != .8 || m.Label != a.Label || !m.Ended.Equal(clearedAlert(a).At) || m.By != r.local.Name {
		t.Errorf("%+v", m)
	}
	if got := r.list("marked=unmarked").rules() + "; " + r.list("marked=true").rules(); got != "fence; fall" {
		t.Errorf("unmarked and true: %s", got)
	}
	second := r.mark(a, sayFalse)
	if u := r.undo(second); u.Alerts != 1 || !recorded()[a.ID].True {
		t.Errorf("the mark before does not come back: %+v", u)
	}
	late := r.mark(b, sayLater)
	if l := r.list("marked=later"); l.rules() != "fence" || l.Left != 0 || !l.Alerts[0].Later || len(recorded()) != 1 {
		t.Errorf("set aside: %+v, %d marks", l, len(recorded()))
	}
	if u := r.undo(late); u.Left != 1 {
		t.Errorf("%+v", u)
	}
	// An older alert, and one mark that somebody else replaces.
	var bulk Decided
	if status, text := r.call("POST", "/alerts/marks", map[string]any{"mark": "true", "note": "drill", "alerts": []string{b.ID, c.ID, "none/such-1-1", b.ID}}, &bulk); status != http.StatusOK || bulk.Alerts != 2 || len(bulk.Failed) != 1 || !strings.Contains(bulk.Failed[0].Reason, "no alert") {
		t.Fatalf("%d %s", status, text)
	}
	other := recorded()[b.ID]
	other.True, other.By, other.At = false, "nurse", time.Now().UTC().Truncate(time.Millisecond)
	if _, err := r.Alerts.PutMarks(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	r.await("the other's mark", func() bool { return r.list("marked=false").rules() == "fence" })
	if u := r.undo(bulk); u.Alerts != 1 || len(u.Failed) != 1 || u.Failed[0].ID != b.ID {
		t.Errorf("%+v", u)
	}
	if marks := recorded(); marks[b.ID].By != "nurse" || marks[c.ID].Alert != "" || len(marks) != 2 {
		t.Errorf("%+v", marks)
	}
	if status, _ := r.call("POST", "/decisions/"+bulk.Decision+"/undo", struct{}{}, nil); status != http.StatusNotFound {
		t.Errorf("undone twice: %d", status)
	}
	if d := r.mark(b, sayNone); d.Left != 1 || len(recorded()) != 1 {
		t.Errorf("%+v", d)
	}
	for _, text := range []string{"what=\"mark alerts\" as=true alerts=[" + a.ID, "who=" + r.local.Name + " role=admin from=127.0.0.1 what=undo", "what=\"mark alerts\" as=none"} {
		if !r.log.Contains(text) {
			t.Errorf("no %s in the log: %s", text, r.log)
		}
	}
}

// Two people at once leave what is said once: each decision can be taken back by itself.
func TestTwoDecideAtOnce(t *testing.T) {
	r := newReviewed(t)
	a := raisedAlert("fall", "ward", time.Hour)
	r.send(a)
	r.await("the alert", func() bool { return r.list("").Left == 1 })
	var both sync.WaitGroup
	all := make([]Decided, 2)
	for i, as := range []string{sayTrue, sayFalse} {
		both.Go(func() {
			r.call("POST", "/alerts/"+url.PathEscape(a.ID)+"/mark", Marking{Mark: as}, &all[i])
		})
	}
	both.Wait()
	marks, err := r.Alerts.Marks(t.Context())
	if err != nil || len(marks) != 1 {
		t.Fatalf("%+v, %v", marks, err)
	}
	last := all[1]
	if marks[a.ID].True {
		last = all[0]
	}
	if shown := r.list("").Alerts[0].Mark; shown == nil || shown.True != marks[a.ID].True {
		t.Errorf("%+v is shown, %+v is recorded", shown, marks[a.ID])
	}
	if u := r.undo(last); u.Alerts != 1 || r.list("").Alerts[0].Mark == nil {
		t.Errorf("what was said before the last does not come back: %+v", u)
	}
}

// Who floods the console with decisions is refused; others are not kept waiting for long.
func TestAFloodOfDecisionsIsRefused(t *testing.T) {
	r := newReviewed(t)
	a := raisedAlert("fall", "ward", time.Hour)
	r.send(a)
	r.await("the alert", func() bool { return r.list("").Left == 1 })
	r.deciding <- struct{}{} // as while Kafka does not answer
	var posts sync.WaitGroup
	answers := make(chan int, 300)
	for range cap(answers) {
		posts.Go(func() {
			status, _ := r.call("POST", "/alerts/"+url.PathEscape(a.ID)+"/mark", Marking{Mark: sayTrue}, nil)
			answers <- status
		})
	}
	r.await("refusals", func() bool { return len(answers) >= cap(answers)-decidingAtOnce })
	if n := len(r.waiting); n != decidingAtOnce {
		t.Errorf("%d wait", n)
	}
	<-r.deciding
	posts.Wait()
	close(answers)
	by := map[int]int{}
	for status := range answers {
		by[status]++
	}
	if by[http.StatusOK] != decidingAtOnce || by[http.StatusTooManyRequests] != cap(answers)-decidingAtOnce {
		t.Errorf("%v", by)
	}
}

// No form of another site can decide, and nobody whose role is too low.
func TestWhoMayDecide(t *testing.T) {
	r := newReviewed(t)
	a := raisedAlert("fall", "ward", time.Hour)
	r.send(a)
	r.await("the alert", func() bool { return r.list("").Left == 1 })
	address := r.url + "/api/v1/alerts/" + url.PathEscape(a.ID) + "/mark"
	post := func(client func(*http.Request) int, set ...string) int {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(`{"mark":"true"}`))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(set); i += 2 {
			q.Header.Set(set[i], set[i+1])
		}
		return client(q)
	}
	web := func(q *http.Request) int {
		answer, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	for name, c := range map[string]struct {
		set  []string
		want int
	}{
		"another site's script":            {[]string{"Content-Type", "application/json", "Origin", "http://evil.example"}, http.StatusForbidden},
		"another site's form":              {[]string{"Content-Type", "text/plain", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"a form in an old browser":         {[]string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType},
		"another form in one":              {[]string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType},
		"without a type":                   {nil, http.StatusUnsupportedMediaType},
		"another port of the same machine": {[]string{"Content-Type", "application/json", "Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
		"the console's own page":           {[]string{"Content-Type", "application/json; charset=utf-8", "Sec-Fetch-Site", "same-origin"}, http.StatusOK},
	} {
		if got := post(web, c.set...); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	routes := r.routes()
	for role, want := range map[role]int{viewer: http.StatusForbidden, operator: http.StatusOK, admin: http.StatusOK} {
		as := func(q *http.Request) int {
			q = q.WithContext(context.WithValue(q.Context(), whoKey{}, who{Name: "nurse", Role: role, All: true}))
			q.RequestURI, q.Host = "", "localhost"
			answer := httptest.NewRecorder()
			routes.ServeHTTP(answer, q)
			return answer.Code
		}
		if got := post(as, "Content-Type", "application/json"); got != want {
			t.Errorf("%s: %d, want %d", role, got, want)
		}
	}
}

// A silence of an alert is that of `silence add --alert`.
func TestAnAlertIsSilenced(t *testing.T) {
	r := newReviewed(t)
	a := raisedAlert("*", "ward", time.Hour)
	r.send(a)
	r.await("the alert", func() bool { return r.list("").Left == 1 })
	var out struct {
		Silence string `json:"silence_id"`
		What    string `json:"what"`
	}
	if status, text := r.call("POST", "/alerts/"+url.PathEscape(a.ID)+"/silence", map[string]any{"minutes": 30}, &out); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	rows, err := r.Bus.Table(r.Names.Of(topics.Silences)).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := topics.DecodeSilence(rows[out.Silence].Value)
	if err != nil || !s.Covers(a, time.Now()) || s.Covers(topics.Alert{Rule: "fall", Camera: "ward"}, time.Now()) || time.Until(s.Until) > 31*time.Minute {
		t.Errorf("%+v, %v", s, err)
	}
	for _, minutes := range []int{0, 100_000} {
		if status, _ := r.call("POST", "/alerts/"+url.PathEscape(a.ID)+"/silence", map[string]any{"minutes": minutes}, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("for %d minutes: %d", minutes, status)
		}
	}
}
