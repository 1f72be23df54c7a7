package console

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
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
	c, server := servedAs(t, people(), slog.New(slog.DiscardHandler))
	asks := func(name string) error {
		_, done, err := c.ask(context.WithValue(t.Context(), whoKey{}, who{Name: name, Role: viewer}))
		if err == nil {
			done()
		}
		return err
	}
	for range eachUser { // they wait
		if _, ok := c.questions.take("bot"); !ok {
			t.Fatal("a question is refused")
		}
	}
	if asks("bot") == nil || asks("anna") != nil || len(c.questions.of) != 1 || len(c.asking.turn)+len(c.asking.waits) != 0 {
		t.Errorf("%v, %v, %v", asks("bot"), asks("anna"), c.questions.of)
	}
	for range lookingEach {
		c.looking.take("viewer")
	}
	if code, body := get(t, server.URL+"/api/v1/events", "Authorization", "Bearer viewer"+secret); code != http.StatusServiceUnavailable || !strings.Contains(body, "100") {
		t.Errorf("one more page of one user: %d %s", code, body)
	}
	for range eachUser {
		c.looks.take("viewer")
		c.replays.take("admin")
	}
	c.wall.setCameras([]cameras.Entry{streaming("lobby")})
	if code, body := get(t, server.URL+"/api/v1/cameras/lobby/history", "Authorization", "Bearer viewer"+secret); code != http.StatusTooManyRequests {
		t.Errorf("one more look of one user: %d %s", code, body)
	}
	if code, body := get(t, server.URL+"/api/v1/cameras/lobby/history", "Authorization", "Bearer admin"+secret); code != http.StatusOK {
		t.Errorf("another user: %d %s", code, body)
	}
	if _, _, err := c.replaying(context.WithValue(t.Context(), whoKey{}, who{Name: "admin", Role: admin})); err == nil {
		t.Error("one replays without end")
	}
}
