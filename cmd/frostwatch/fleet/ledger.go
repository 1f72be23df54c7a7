package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Entry is what became of one clip: one line of a ledger.
type Entry struct {
	Clip     string    `json:"clip"`
	Camera   string    `json:"camera"`
	Epoch    time.Time `json:"epoch"`
	Sequence uint64    `json:"sequence"`
	Start    time.Time `json:"start"` // of the window
	End      time.Time `json:"end"`
	// Shows are the clip's pictures, a scene and a variant for each frame: clips that show the
	// same have the same pixels.
	Shows string `json:"shows"`
	// At is the record that the broker acknowledged; nil: it was not, for the reason Dropped.
	At      *topics.RecordRef `json:"at,omitempty"`
	Dropped string            `json:"dropped,omitempty"`
}

// shows names pictures, as a0b1…
func shows(pictures [topics.ClipFrames]picture) string {
	b := make([]byte, 0, 2*len(pictures))
	for _, p := range pictures {
		b = append(b, byte('a'+p.scene), byte('0'+p.variant))
	}
	return string(b)
}

// Ledger writes entries as JSON, one a line. Safe for concurrent use.
type Ledger struct {
	mu  sync.Mutex
	to  *bufio.Writer
	err error
}

// NewLedger makes a ledger on a writer, which stays the caller's.
func NewLedger(w io.Writer) *Ledger { return &Ledger{to: bufio.NewWriter(w)} }

// Note writes an entry. The first error is kept for Close.
func (l *Ledger) Note(e Entry) {
	line, err := json.Marshal(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.err == nil {
		_, err = l.to.Write(append(line, '\n'))
	}
	if l.err == nil {
		l.err = err
	}
}

// Close writes what is left and returns what went wrong; the writer stays open.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.to.Flush()
	}
	if l.err != nil {
		return fmt.Errorf("write the ledger: %w", l.err)
	}
	return nil
}

// ReadLedger reads the entries that a ledger has written.
func ReadLedger(r io.Reader) ([]Entry, error) {
	var out []Entry
	for d := json.NewDecoder(r); ; {
		var e Entry
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read the ledger, after %d entries: %w", len(out), err)
		}
		out = append(out, e)
	}
}
