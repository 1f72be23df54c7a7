package ring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// Ring is the newest packets of one camera. Begin, Sized and Add are called by one
// goroutine, and never wait for the disk; the others by any.
type Ring struct {
	store *Store
	dir   string
	keep  time.Duration
	wake  chan struct{} // the writer has something to do
	done  sync.WaitGroup

	mu      sync.Mutex
	waiting []byte // records that are not written yet
	flushed chan struct{}
	broken  bool // packets were lost: nothing is of use before the next keyframe
	closed  bool
	runs    []run
	params  []byte // the parameter sets of the latest run

	disk     sync.Mutex // apart from mu, since it is held while files are opened and removed
	segments []*segment // changed by the writer alone
	bytes    int64

	// Of the writer alone.
	file  *os.File // of the last segment
	made  int
	retry time.Time // after a failure
}

// run is an unbroken stretch of packets with one header.
type run struct {
	number uint32
	track  media.Track
}

// segment is a file of packets.
type segment struct {
	path        string
	bytes       int64
	first, last int64 // arrivals, Unix nanoseconds
	key         int64 // arrival of the first keyframe; 0: none
	run         uint32
}

const (
	// mostWaiting bounds the memory of a ring; what comes while so much waits for the disk
	// is lost.
	mostWaiting = 8 << 20
	// enough waits to be written at once.
	enough = 256 << 10
	// latest is after how long everything is written.
	latest = time.Second
	// A segment ends at the first keyframe after these, or else at segmentMost.
	segmentLong  = 4 * time.Second
	segmentLarge = 2 << 20
	segmentMost  = 8 << 20
	// pauseFailed is how long nothing is written after a failure.
	pauseFailed = 10 * time.Second
	// runsMost bounds the runs that are remembered.
	runsMost = 10_000
)

// header is in front of each packet in a segment.
const headerSize = 4 + 4 + 4 + 8 + 8 + 8

type header struct {
	size    uint32
	key     bool
	run     uint32
	pts     int64
	dts     int64
	arrived int64
}

func (h header) append(b []byte) []byte {
	flags := uint32(0)
	if h.key {
		flags = 1
	}
	le := binary.LittleEndian
	b = le.AppendUint32(b, h.size)
	b = le.AppendUint32(b, flags)
	b = le.AppendUint32(b, h.run)
	b = le.AppendUint64(b, uint64(h.pts))
	b = le.AppendUint64(b, uint64(h.dts))
	return le.AppendUint64(b, uint64(h.arrived))
}

func parseHeader(b []byte) header {
	le := binary.LittleEndian
	return header{
		size: le.Uint32(b), key: le.Uint32(b[4:])&1 != 0, run: le.Uint32(b[8:]),
		pts: int64(le.Uint64(b[12:])), dts: int64(le.Uint64(b[20:])), arrived: int64(le.Uint64(b[28:])),
	}
}

// Ring makes the ring of a camera, which keeps packets for so long after they came, as
// far as its share of the disk allows. The caller closes it and then removes it.
func (s *Store) Ring(camera string, keep time.Duration) (*Ring, error) {
	s.mu.Lock()
	s.made++
	n := s.made
	s.mu.Unlock()
	r := &Ring{store: s, dir: filepath.Join(s.dir, fmt.Sprintf("%s.%d", camera, n)), keep: keep, wake: make(chan struct{}, 1)}
	if err := os.Mkdir(r.dir, folderMode); err != nil {
		return nil, fmt.Errorf("keep packets of %s: %w", camera, err)
	}
	s.mu.Lock()
	s.rings[r] = true
	s.mu.Unlock()
	r.done.Go(r.write)
	return r, nil
}

// Begin says that the packets to come are of a new connection.
func (r *Ring) Begin(t media.Track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.params = nil
	r.begin(t)
}

// begin needs the lock.
func (r *Ring) begin(t media.Track) {
	number := uint32(1)
	if n := len(r.runs); n > 0 {
		number = r.runs[n-1].number + 1
	}
	if len(r.runs) >= runsMost {
		r.runs = r.runs[1:]
	}
	r.runs = append(r.runs, run{number, t})
	r.broken = true // until a keyframe
}

// Sized says what is known of the track by now: its size, once a frame was decoded.
func (r *Ring) Sized(t media.Track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.runs); n > 0 {
		if r.params != nil {
			t.Extra = r.params
		}
		r.runs[n-1].track = t
	}
}

// Add keeps a packet that has just come.
func (r *Ring) Add(p media.Packet, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.runs) == 0 || r.closed || len(p.Data) == 0 {
		return
	}
	if p.Key && p.Params != nil && !bytes.Equal(p.Params, r.params) {
		t := r.runs[len(r.runs)-1].track
		t.Extra = bytes.Clone(p.Params)
		if r.params != nil { // another picture from here on
			r.begin(t)
		} else {
			r.runs[len(r.runs)-1].track = t
		}
		r.params = t.Extra
	}
	if len(r.waiting)+headerSize+len(p.Data) > mostWaiting {
		if !r.broken {
			r.store.Logger.Warn("packets of a camera are lost to its films: the disk is too slow", "folder", r.dir)
		}
		r.broken = true
		return
	}
	if r.broken && !p.Key {
		return
	}
	r.broken = false
	h := header{uint32(len(p.Data)), p.Key, r.runs[len(r.runs)-1].number, p.PTS, p.DTS, now.UnixNano()}
	r.waiting = append(h.append(r.waiting), p.Data...)
	if len(r.waiting) >= enough {
		r.wakeUp()
	}
}

func (r *Ring) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Close ends the ring: what waits is written, and nothing comes after it. It may be read
// until it is removed.
func (r *Ring) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.wakeUp()
	r.done.Wait()
}

// Remove deletes a ring that is closed.
func (r *Ring) Remove() {
	r.store.mu.Lock()
	delete(r.store.rings, r)
	r.store.mu.Unlock()
	r.store.report(r, nil)
	if err := os.RemoveAll(r.dir); err != nil {
		r.store.Logger.Warn("packets that are no longer needed are not removed", "error", err)
	}
}
