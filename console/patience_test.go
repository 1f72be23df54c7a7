package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlined notes by when each part of an answer must have been read.
type deadlined struct {
	*httptest.ResponseRecorder
	by []time.Time
}

func (d *deadlined) SetWriteDeadline(t time.Time) error { d.by = append(d.by, t); return nil }

// Each answer must be read in time, in parts, so that who reads nothing holds nothing for
// long: pages and pictures too, and films for longer.
func TestAnswersMustBeRead(t *testing.T) {
	c, _ := served(t)
	d := &deadlined{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodGet, "/static/console.css", nil)
	r.Host = "localhost"
	c.Handler().ServeHTTP(d, r)
	if n := d.Body.Len(); n < 1000 || len(d.by) < 2+n/partBytes {
		t.Errorf("%d deadlines for %d bytes", len(d.by), n)
	}
	for _, by := range d.by {
		if left := time.Until(by); left > writeTime {
			t.Errorf("%v is given", left)
		}
	}
	before := len(d.by)
	if n, err := io.WriteString(slowly(inParts(d)), strings.Repeat("x", 3*partBytes+1)); n != 3*partBytes+1 || err != nil {
		t.Errorf("%d: %v", n, err)
	}
	film := d.by[before+1:]
	if len(film) != 4 || time.Until(film[0]) < 2*writeTime {
		t.Errorf("deadlines of a film: %v", film)
	}
}

// One user keeps the past, or the wall, from nobody else.
func TestOneUserLeavesRoom(t *testing.T) {
	a := newAsking()
	var ends []func()
	for range askingAtOnce {
		_, done, err := a.ask(t.Context(), "bot")
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, done)
	}
	for i := askingAtOnce; i < askingEach; i++ { // those that wait
		if _, ok := a.each.take("bot"); !ok {
			t.Fatalf("question %d is refused", i)
		}
	}
	if _, _, err := a.ask(t.Context(), "bot"); err == nil {
		t.Error("one asks without end")
	}
	ends[0]()
	_, done, err := a.ask(t.Context(), "anna")
	if err != nil {
		t.Fatalf("another user: %v", err)
	}
	done()

	c, server := servedAs(t, people(), slog.New(slog.DiscardHandler))
	for range lookingEach {
		c.looking.take("viewer")
	}
	if code, body := get(t, server.URL+"/api/v1/events", "Authorization", "Bearer viewer"+secret); code != http.StatusServiceUnavailable || !strings.Contains(body, "100") {
		t.Errorf("one more page of one user: %d %s", code, body)
	}
	if len(c.looking.of) != 1 {
		t.Errorf("%v", c.looking.of)
	}
}
