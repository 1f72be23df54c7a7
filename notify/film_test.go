package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
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
