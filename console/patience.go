package console

import (
	"errors"
	"net/http"
	"time"
)

// patient gives each part of an answer some time, so that who reads slowly is served, and
// who reads nothing is left.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	time    time.Duration
}

// partBytes is what must be read in time.
const partBytes = 32 << 10

// inParts is an answer of which each part may take writeTime.
func inParts(w http.ResponseWriter) patient {
	p := patient{w, http.NewResponseController(w), writeTime}
	_ = p.deadline() // what has no body; without a deadline it is as before
	return p
}

func (p patient) deadline() error {
	if err := p.control.SetWriteDeadline(time.Now().Add(p.time)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (p patient) Write(b []byte) (n int, err error) {
	for first := true; first || len(b) > 0; first = false {
		if err := p.deadline(); err != nil {
			return n, err
		}
		part, err := p.ResponseWriter.Write(b[:min(len(b), partBytes)])
		if n, b = n+part, b[part:]; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Unwrap is for http.ResponseController.
func (p patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// finish gives the rest of an answer its time, which is sent when its handler has ended.
func (p patient) finish() { _ = p.deadline() }

// slowly is an answer of which each part may take filmWrite.
func slowly(w http.ResponseWriter) patient {
	if under, is := w.(interface{ Unwrap() http.ResponseWriter }); is { // not writeTime
		w = under.Unwrap()
	}
	return patient{w, http.NewResponseController(w), filmWrite}
}
