package ring

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// write writes what waits, until the ring is closed.
func (r *Ring) write() {
	tick := time.NewTicker(latest)
	defer tick.Stop()
	var spare []byte
	for {
		select {
		case <-r.wake:
		case <-tick.C:
		}
		r.mu.Lock()
		batch, closed, flushed := r.waiting, r.closed, r.flushed
		r.waiting, r.flushed = spare[:0], nil
		r.mu.Unlock()
		if len(batch) > 0 {
			r.put(batch)
		}
		if flushed != nil {
			close(flushed)
		}
		if spare = batch; cap(spare) > 4*enough { // after a burst
			spare = nil
		}
		if closed {
			break
		}
	}
	if r.file != nil {
		_ = r.file.Close() // what is in it is written
	}
}

// put writes records, and reports where that fails.
func (r *Ring) put(batch []byte) {
	if time.Now().Before(r.retry) {
		r.lose()
		return
	}
	for len(batch) > 0 {
		n := r.upTo(batch)
		if err := r.append(batch[:n]); err != nil {
			r.retry = time.Now().Add(pauseFailed)
			r.store.report(r, err)
			r.end()
			r.lose()
			return
		}
		batch = batch[n:]
	}
	r.store.report(r, nil)
}

// lose notes that packets are missing from here on.
func (r *Ring) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.runs); n > 0 {
		r.begin(r.runs[n-1].track)
	}
	// What waits now is of the run before.
	r.waiting = r.waiting[:0]
}

// upTo is how many bytes of the records go into one segment; it ends the one before where
// none of them does.
func (r *Ring) upTo(batch []byte) (n int) {
	first, most := parseHeader(batch), min(segmentMost, r.store.share()/4)
	if s := r.last(); s == nil || r.file == nil || s.full(first, most) {
		r.end()
		r.disk.Lock()
		r.segments = append(r.segments, &segment{run: first.run, first: first.arrived})
		r.disk.Unlock()
	}
	s := *r.last()
	for n < len(batch) {
		h := parseHeader(batch[n:])
		if s.full(h, most) {
			break
		}
		s.take(h)
		n += headerSize + int(h.size)
	}
	return n
}

// full is whether a packet belongs into the next segment, where each has so many bytes at
// most.
func (s *segment) full(next header, most int64) bool {
	long := s.bytes >= segmentLarge || time.Duration(next.arrived-s.first) >= segmentLong
	return s.bytes > 0 && (next.run != s.run || next.key && long || s.bytes+headerSize+int64(next.size) > most)
}

func (s *segment) take(h header) {
	if s.bytes == 0 {
		s.first = h.arrived
	}
	if h.key && s.key == 0 {
		s.key = h.arrived
	}
	s.last = h.arrived
	s.bytes += headerSize + int64(h.size)
}

func (r *Ring) last() *segment {
	if len(r.segments) == 0 {
		return nil
	}
	return r.segments[len(r.segments)-1]
}

// end ends the last segment; one without packets is forgotten.
func (r *Ring) end() {
	if r.file != nil {
		_ = r.file.Close() // what is in it is written
		r.file = nil
	}
	r.disk.Lock()
	defer r.disk.Unlock()
	if s := r.last(); s != nil && s.bytes == 0 {
		r.segments = r.segments[:len(r.segments)-1]
		if s.path != "" {
			_ = os.Remove(s.path)
		}
	}
}

// append writes whole records to the last segment, once there is room for them.
func (r *Ring) append(records []byte) error {
	r.trim(int64(len(records)))
	s := r.last()
	if r.file == nil {
		if err := r.begins(s, int64(len(records))); err != nil {
			return err
		}
	}
	if _, err := r.file.WriteAt(records, s.bytes); err != nil {
		return fmt.Errorf("write packets: %w", err)
	}
	r.disk.Lock()
	defer r.disk.Unlock()
	for at := 0; at < len(records); {
		h := parseHeader(records[at:])
		s.take(h)
		at += headerSize + int(h.size)
	}
	r.bytes += int64(len(records))
	return nil
}

// begins makes the file of a segment. Where the disk is about to be full, the ring's
// oldest packets give way first.
func (r *Ring) begins(s *segment, bytes int64) error {
	err := r.store.Room(bytes)
	for err != nil && len(r.segments) > 1 {
		r.drop()
		err = r.store.Room(bytes)
	}
	if err != nil {
		return err
	}
	r.made++
	path := filepath.Join(r.dir, fmt.Sprintf("%d.packets", r.made))
	if r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode); err != nil {
		return fmt.Errorf("write packets: %w", err)
	}
	r.disk.Lock()
	defer r.disk.Unlock()
	s.path = path
	return nil
}

// trim removes the oldest segments: those that are too old, and those without which there
// is room for so many bytes more.
func (r *Ring) trim(more int64) {
	most, newest := r.store.share(), r.last().last
	for len(r.segments) > 1 {
		next := r.segments[1]
		old := next.key != 0 && time.Duration(max(newest, next.last)-next.key) > r.keep
		if !old && r.bytes+more <= most {
			break
		}
		r.drop()
	}
	r.forget(r.segments[0].run)
}

// forget removes the runs before one.
func (r *Ring) forget(before uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.runs) > 1 && r.runs[0].number < before {
		r.runs = r.runs[1:]
	}
}

// drop removes the oldest segment.
func (r *Ring) drop() {
	r.disk.Lock()
	defer r.disk.Unlock()
	s := r.segments[0]
	r.segments = append(r.segments[:0], r.segments[1:]...)
	r.bytes -= s.bytes
	if err := os.Remove(s.path); err != nil {
		r.store.Logger.Warn("packets that are no longer needed are not removed", "error", err)
	}
}
