package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

// filmShelf has the films of alerts by id.
type filmShelf struct {
	mu    sync.Mutex
	films map[string][]byte
}

func (s *filmShelf) put(alert string, film []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.films[alert] = film
}

func (s *filmShelf) HasFilm(_ context.Context, alert string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.films[alert] != nil, nil
}

func (s *filmShelf) Film(_ context.Context, alert string, w io.Writer) error {
	s.mu.Lock()
	film := s.films[alert]
	s.mu.Unlock()
	_, err := w.Write(film)
	return err
}

func (s *filmShelf) FilmAddress(alert string) string { return "file:///films/" + alert + ".mp4" }

// A receiver that wants films gets each after the raise, once it is there, also if it was
// down meanwhile; of one that is too large it learns that there is one. Others get none.
func TestAFilmFollowsItsRaise(t *testing.T) {
	b, h, plain := startBroker(t, 1), startHook(t), startHook(t)
	shelf := &filmShelf{films: map[string][]byte{}}
	b.films = shelf
	b.run(t, plan(t, fmt.Sprintf("- {name: seer, film: true, webhook: {url: %q, private: true}}\n- {name: plain, webhook: {url: %q, private: true}}\n", h.URL, plain.URL)), 1)
	one, two, large := alert("ward-1", 1, topics.AlertRaised), alert("lobby", 2, topics.AlertRaised), alert("yard", 3, topics.AlertRaised)
	cleared := one
	cleared.State = topics.AlertCleared
	b.send(t, one, two, large, cleared)
	await(t, "the raises and the clear", func() bool { return len(h.accepted()) == 4 && len(plain.accepted()) == 4 })
	tries := 0
	h.mu.Lock()
	h.answer = func(Notification) int {
		if tries++; tries < 3 {
			return 503
		}
		return 200
	}
	h.mu.Unlock()
	shelf.put(one.ID, []byte("the film of ward-1"))
	await(t, "a film", func() bool { return len(h.accepted()) == 5 })
	shelf.put(large.ID, make([]byte, maxFilm+1))
	await(t, "that there is a film", func() bool { return len(h.accepted()) == 6 })
	want := []string{one.EventID(), two.EventID(), large.EventID(), cleared.EventID(), one.ID + "/film", large.ID + "/film"}
	if got := h.accepted(); !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.got[4].Events[0]; string(e.Film) != "the film of ward-1" || e.Alert.ID != one.ID || !bytes.HasPrefix([]byte(e.Text), []byte("film: ward-1: person falling down")) {
		t.Errorf("the film's event is %+v", e)
	}
	if e := h.got[5].Events[0]; len(e.Film) != 0 {
		t.Errorf("a film of %d bytes was delivered", len(e.Film))
	}
	if got := plain.accepted(); len(got) != 4 {
		t.Errorf("a receiver that asked for no films got %q", got)
	}
}

// A film that is there only after the stage has ended is delivered once it is back, and not
// again after that; of an alert that was silenced, and to a receiver that is new, none is.
func TestAFilmIsDeliveredAfterARestart(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	shelf := &filmShelf{films: map[string][]byte{}}
	b.films = shelf
	text := fmt.Sprintf("- {name: seer, film: true, webhook: {url: %q, private: true}}\n", h.URL)
	r := b.run(t, plan(t, text), 1)
	one, two := alert("ward-1", 1, topics.AlertRaised), alert("ward-1", 2, topics.AlertRaised)
	b.send(t, one, two)
	owed := func(want int) func() bool {
		return func() bool {
			rows, err := b.Table(names.Of(topics.Withheld)).List(t.Context())
			return err == nil && len(rows) == want
		}
	}
	await(t, "the raises", func() bool { return len(h.accepted()) == 2 })
	await(t, "notes of both films", owed(2))
	await(t, "their being committed", func() bool {
		at, err := b.CommittedOffsets(t.Context(), GroupOf("notify", "seer"), names.Of(topics.Alerts))
		return err == nil && at[0] == 2
	})
	r.stop()
	shelf.put(one.ID, []byte("the film"))
	r = b.run(t, plan(t, text), 1)
	want := []string{one.EventID(), two.EventID(), one.ID + filmSuffix}
	await(t, "the film", func() bool { return len(h.accepted()) == len(want) })
	await(t, "one note less", owed(1))
	r.stop()
	shelf.put(two.ID, []byte("another"))
	b.run(t, plan(t, text+strings.ReplaceAll(text, "seer", "late")), 1)
	want = append(want, two.ID+filmSuffix)
	await(t, "the other film", func() bool { return len(h.accepted()) == len(want) })
	await(t, "no note", owed(0))
	if got := h.accepted(); !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
	if e := h.got[2].Events[0]; string(e.Film) != "the film" || e.FilmAt != "file:///films/"+one.ID+".mp4" || h.got[2].Receiver != "seer" {
		t.Errorf("the film's event is %+v to %s", e, h.got[2].Receiver)
	}
}

// People get a film as a file where shoutrrr can send one, and where it is else.
func TestFilmsForPeople(t *testing.T) {
	b := startBroker(t, 1)
	signal, toSignal := chat(t, http.StatusCreated, `{"timestamp": "1"}`)
	ntfy, toNtfy := chat(t, http.StatusOK, `{"id": "1"}`)
	shelf := &filmShelf{films: map[string][]byte{}}
	b.films = shelf
	a := alert("ward-1", 1, topics.AlertRaised)
	b.run(t, plan(t, strings.NewReplacer("SIGNAL", strings.TrimPrefix(signal, "http://"), "NTFY", strings.TrimPrefix(ntfy, "http://")).Replace(
		"- {name: a, film: true, people: {url: 'signal://SIGNAL/+1234567890/+9876543210?disabletls=yes', private: true}}\n"+
			"- {name: b, film: true, people: {url: 'ntfy://NTFY/ward?scheme=http', private: true}}\n")), 1)
	b.send(t, a)
	shelf.put(a.ID, []byte("the film"))
	var texts [2]string
	await(t, "both films", func() bool {
		for i, got := range []func() []request{toSignal, toNtfy} {
			for _, r := range got() {
				texts[i] += r.body + "\n"
			}
		}
		return strings.Contains(texts[0], "film: ") && strings.Contains(texts[1], "film: ")
	})
	if !strings.Contains(texts[0], `"base64_attachments":["`+base64.StdEncoding.EncodeToString([]byte("the film"))+`"]`) {
		t.Errorf("Signal got %s", texts[0])
	}
	if want := "film: ward-1: person falling down, since 12:00:00, contrast 0.93 (rule fall, warning); it is at file:///films/" + a.ID + ".mp4"; !strings.Contains(texts[1], want) {
		t.Errorf("ntfy got %s\nwant %s", texts[1], want)
	}
}

// recorder answers every request with 204, and keeps it.
type recorder struct{ urls, bodies []string }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	r.urls, r.bodies = append(r.urls, req.URL.String()), append(r.bodies, string(body))
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: req}, err
}

// Discord takes the file beside the text.
func TestFilmsForDiscord(t *testing.T) {
	was, r := http.DefaultTransport, &recorder{}
	http.DefaultTransport = r
	defer func() { http.DefaultTransport = was }()
	err := shout(letter{URL: "discord://" + strings.Repeat("t", 68) + "@123456789012345678", Text: "film: ward-1", Name: "film.mp4", File: []byte("the film")})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.bodies) != 1 || !strings.Contains(r.urls[0], "discord.com/api/webhooks/") || !strings.Contains(r.bodies[0], `filename="film.mp4"`) || !strings.Contains(r.bodies[0], "the film") || !strings.Contains(r.bodies[0], "film: ward-1") {
		t.Errorf("sent %q to %q", r.bodies, r.urls)
	}
}

// Alertmanager shows where the film of an alert will be.
func TestFilmsForAlertmanager(t *testing.T) {
	b, am := startBroker(t, 1), startFaulty(t)
	b.films = &filmShelf{films: map[string][]byte{}}
	b.run(t, plan(t, fmt.Sprintf("- {name: am, film: true, alertmanager: {url: %q, private: true}}", am.URL)), 1)
	a := now(alert("ward-1", 1, topics.AlertRaised))
	b.send(t, a)
	await(t, "the alert", func() bool { return len(am.of(a.ID)) == 1 })
	if got := am.of(a.ID)[0].Annotations["film"]; got != "file:///films/"+a.ID+".mp4" {
		t.Errorf("the film is said to be at %q", got)
	}
}
