package media

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// fileFormats are the formats of recordings besides those of cameras:
// containers, then single streams. Like those they refer to no other files or
// addresses.
const fileFormats = formats + ",asf,nut,ivf,dv,mxf,gxf,gif,apng,rm,wtv,roq,nsv,nuv,flic,dhav,ifv" +
	",yuv4mpegpipe,h261,h263,obu,dirac,dnxhd,vc1,vc1test"

// fileTimeout bounds a read from a disk, or the network behind it, that no
// longer answers.
const fileTimeout = 30 * time.Second

// FileInfo is what a file's container says about its video. Any of it may be
// wrong.
type FileInfo struct {
	Frames          int64   // 0 where it doesn't say
	Start, Duration int64   // in ticks; Duration is 0 where it doesn't say
	Tick            float64 // seconds
	FPS             float64 // 0 where it doesn't say
}

// FileFrame is a decoded frame of a file and its position.
type FileFrame struct {
	*Frame
	Ticks int64 // its time as the container counts, in FileInfo's ticks
	Last  bool  // no frame comes after it
}

// File is a video file that is decoded from its beginning, as fast as possible.
// It serves one goroutine; the caller closes it.
type File struct {
	s    *Stream
	info FileInfo
}

// OpenFile opens a video file and starts the decoder of its first video stream
// with the given number of threads.
func OpenFile(ctx context.Context, path string, threads int) (*File, error) {
	// A pipe or a device could block for ever.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, NewFault(KindNotVideo, "it is not a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open video: %w", err)
	}
	s, err := open(ctx, "file:"+abs, openOptions{
		StreamOptions: StreamOptions{
			Open: fileTimeout, Read: fileTimeout, Watchdog: fileTimeout, Threads: threads,
			OnBytes: func(int) {}, OnBadPacket: func() {},
		},
		formats: fileFormats, everyFrame: true,
	})
	if err != nil {
		return nil, err
	}
	return &File{s: s, info: s.fileInfo()}, nil
}

func (s *Stream) fileInfo() FileInfo {
	i := FileInfo{Tick: s.clock.tick, FPS: s.info.FPS}
	for _, v := range s.format.Streams() {
		if v.Index() != s.index {
			continue
		}
		i.Frames = max(v.NbFrames(), 0)
		if start := v.StartTime(); start != noTime {
			i.Start = start
		}
		if d := v.Duration(); d != noTime {
			i.Duration = max(d, 0)
		}
	}
	return i
}

// Info is what the container says.
func (f *File) Info() FileInfo { return f.info }

// Next returns the next frame in the order of presentation, valid until the
// following call; io.EOF at the end.
func (f *File) Next() (FileFrame, error) {
	frame, err := f.s.Next()
	var broken *Fault
	switch {
	case errors.As(err, &broken) && broken.Kind == KindEnded: // its text speaks of a camera
		return FileFrame{}, NewFault(KindNotVideo, "the file breaks off in the middle of something")
	case err != nil:
		return FileFrame{}, err
	}
	ticks := frameTime(f.s.shown.UnsafePointer())
	if ticks == noTime {
		ticks = f.s.clock.begin(f.info.Start) + int64(math.Round(frame.PTS.Seconds()/f.info.Tick))
	}
	return FileFrame{Frame: frame, Ticks: ticks, Last: f.s.err != nil}, nil
}

// Close frees the decoder.
func (f *File) Close() { f.s.Close() }
