package ring

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// Stretch is an unbroken row of packets of one connection, in the order in which they
// came. The first is a keyframe.
type Stretch struct {
	Track   media.Track
	Packets []media.Taken

	number uint32
	places []place
	buffer []byte
}

type place struct {
	file   *os.File
	offset int64
}

// Data is the data of a packet, valid until the next call.
func (s *Stretch) Data(i int) ([]byte, error) {
	n := s.Packets[i].Size
	if cap(s.buffer) < n {
		s.buffer = make([]byte, n)
	}
	s.buffer = s.buffer[:n]
	if _, err := s.places[i].file.ReadAt(s.buffer, s.places[i].offset); err != nil {
		return nil, fmt.Errorf("read packets: %w", err)
	}
	return s.buffer, nil
}

// Packets are those that came between two times, and those before them since a keyframe.
// They can be read until close is called, also if the ring is removed.
func (r *Ring) Packets(ctx context.Context, from, until time.Time) (all []*Stretch, closeFiles func(), err error) {
	if err := r.flush(ctx); err != nil {
		return nil, nil, err
	}
	files, segments, err := r.open(from.UnixNano(), until.UnixNano())
	closeFiles = func() {
		for _, f := range files {
			_ = f.Close() // it was only read
		}
	}
	for i := 0; err == nil && i < len(files); i++ {
		all, err = r.read(all, files[i], segments[i], until.UnixNano())
	}
	if err != nil {
		closeFiles()
		return nil, nil, fmt.Errorf("read packets: %w", err)
	}
	return all, closeFiles, nil
}

// flush waits until all packets that have come are written.
func (r *Ring) flush(ctx context.Context) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		r.done.Wait()
		return nil
	}
	if r.flushed == nil {
		r.flushed = make(chan struct{})
	}
	flushed := r.flushed
	r.mu.Unlock()
	r.wakeUp()
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// open opens the segments that hold what is asked for.
func (r *Ring) open(from, until int64) (files []*os.File, segments []segment, err error) {
	r.disk.Lock()
	defer r.disk.Unlock()
	begin := 0
	for i, s := range r.segments {
		if s.key != 0 && s.key <= from {
			begin = i
		}
	}
	for _, s := range r.segments[begin:] {
		if s.bytes == 0 || s.first > until {
			continue
		}
		f, err := os.Open(s.path)
		if err != nil {
			return files, nil, err
		}
		files, segments = append(files, f), append(segments, *s)
	}
	return files, segments, nil
}

// read adds a segment's packets up to a time.
func (r *Ring) read(all []*Stretch, f *os.File, s segment, until int64) ([]*Stretch, error) {
	var b [headerSize]byte
	for at := int64(0); at < s.bytes; {
		if _, err := f.ReadAt(b[:], at); err != nil {
			return nil, err
		}
		h := parseHeader(b[:])
		end := at + headerSize + int64(h.size)
		if end > s.bytes {
			return nil, io.ErrUnexpectedEOF
		}
		if h.arrived > until {
			break
		}
		var in *Stretch
		if n := len(all); n > 0 && all[n-1].number == h.run {
			in = all[n-1]
		} else if h.key {
			track, known := r.track(h.run)
			if !known {
				return all, nil
			}
			in = &Stretch{Track: track, number: h.run}
			all = append(all, in)
		}
		if in != nil {
			in.Packets = append(in.Packets, media.Taken{Key: h.key, PTS: h.pts, DTS: h.dts, Arrived: time.Unix(0, h.arrived), Size: int(h.size)})
			in.places = append(in.places, place{f, at + headerSize})
		}
		at = end
	}
	return all, nil
}

func (r *Ring) track(number uint32) (media.Track, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		if run.number == number {
			return run.track, true
		}
	}
	return media.Track{}, false
}
