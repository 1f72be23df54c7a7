package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

const (
	// eventsEvery is the shortest time between two events of one page: what changes
	// meanwhile is sent together.
	eventsEvery = 250 * time.Millisecond
	// aliveEvery is how often something is sent where nothing changes, so that either
	// side notices when the other is gone.
	aliveEvery = 15 * time.Second
	// writeTime is how long a reader may take for what was sent, or a part of it; a slower
	// one is disconnected, and its page connects again.
	writeTime = 10 * time.Second
	// lookingEach bounds the readers that one user has, of maxSeers.
	lookingEach = 100
)

// events are server-sent events: `wall` with all tiles, then `change` with the tiles that
// have changed and the names of cameras that are gone; `over` when the session is.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	who := c.whoOf(r.Context())
	if c.gate.Protected() {
		done, ok := c.looking.take(who.Name)
		if !ok {
			http.Error(w, "you have too many pages open: "+strconv.Itoa(lookingEach)+" are shown at a time", http.StatusServiceUnavailable)
			return
		}
		defer done()
	}
	see, all, err := c.wall.look(who)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer see.stop()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := stream{http.NewResponseController(w), w}
	if out.send("wall", map[string]any{"tiles": all, "line": c.line(r.Context())}) != nil {
		return
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		if !pause.For(r.Context(), eventsEvery) {
			out.over(r.Context())
			return
		}
		select {
		case <-r.Context().Done():
			out.over(r.Context())
			return
		case <-alive.C:
			err = out.send("alive", c.line(r.Context()))
		case <-see.wake:
			tiles, gone := see.take()
			err = out.send("change", map[string]any{"tiles": tiles, "gone": gone, "line": c.line(r.Context())})
		}
		if err != nil {
			return
		}
	}
}

// stream writes events to one page.
type stream struct {
	*http.ResponseController
	to http.ResponseWriter
}

// over lets a page know that whoever looks is not logged in any more.
func (s stream) over(ctx context.Context) {
	if errors.Is(context.Cause(ctx), errOver) {
		_ = s.send("over", struct{}{}) // a page that is gone needs no word
	}
}

// send returns an error once the page is gone or reads too slowly.
func (s stream) send(event string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("event: " + event + "\ndata: ")
	b.Write(body) // JSON has no line breaks
	b.WriteString("\n\n")
	if err := s.SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.to.Write(b.Bytes()); err != nil {
		return err
	}
	return s.Flush()
}

// Line is what the line at the bottom of each page says.
type Line struct {
	Streaming int    `json:"streaming"`
	Cameras   int    `json:"cameras"`
	Open      int    `json:"open_alerts"`
	Left      int    `json:"left" doc:"alerts of the last day that are left to who looks"`
	Alerts    uint64 `json:"alerts" doc:"another number whenever an alert changes that is seen, or what is said of it"`
	// The others are of all cameras, and for who sees them all.
	Rate       float64 `json:"clips_per_second,omitempty" doc:"recognised in the last minute"`
	Late       float64 `json:"late_s,omitempty" doc:"mean time from the end of a clip until its recognition was read"`
	Vocabulary string  `json:"vocabulary,omitempty" doc:"version of that of the newest recognition"`
	Model      string  `json:"model_id,omitempty"`
	Fault      string  `json:"fault,omitempty" doc:"why what is shown may be old"`
}

func (c *Console) line(ctx context.Context) Line {
	l := c.wall.line(c.whoOf(ctx))
	l.Left, l.Alerts = c.queue.left(c.sightOf(ctx), time.Now(), false)
	if c.whoOf(ctx).All {
		c.pulse.say(&l, time.Now())
	}
	l.Fault = c.wallFault(ctx)
	return l
}
