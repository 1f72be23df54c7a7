package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// partFileCameras is the part that brings the cameras of the file to the table.
const partFileCameras = "cameras of the file"

// checkCameras refuses a file with a camera that a worker could not use.
func checkCameras(f config.File, limits cameras.Limits) error {
	for i, c := range cameraedit.OfFile(f.Config) {
		if err := limits.Validate(c); err != nil {
			return f.Wrong(fmt.Sprintf("cameras[%d]", i), err.Error())
		}
	}
	return nil
}

// fileSync brings the cameras of the configuration file to the table: at the
// start, and after each edit of the file.
type fileSync struct {
	*Process
	stage *ingest.Stage
	flags []topics.Camera // the operator's too, but not in the file
	owner cameras.Owner
	first chan struct{} // closed when the cameras of the start are on the table
	// wanted holds the cameras of the newest edit until run takes them.
	wanted chan []topics.Camera
	known  []topics.Camera // of the newest edit; used by commits alone
}

// newFileSync returns nil where there is no file.
func (p *Process) newFileSync(s *ingest.Stage, flags []topics.Camera) (*fileSync, error) {
	if p.file.Path == "" {
		return nil, nil
	}
	path, err := filepath.Abs(p.file.Path)
	if err != nil {
		return nil, fmt.Errorf("find the configuration: %w", err)
	}
	f := &fileSync{
		Process: p, stage: s, flags: flags, owner: cameras.Owner{Source: topics.SourceFile, ID: path},
		first: make(chan struct{}), wanted: make(chan []topics.Camera, 1), known: cameraedit.OfFile(p.Config),
	}
	p.onReload(func(c config.Config) (func() []string, error) {
		return func() []string { f.want(cameraedit.OfFile(c)); return nil }, nil
	}, "cameras")
	return f, nil
}

// want has run bring other cameras. What that does is reported by run: Kafka may
// be away.
func (f *fileSync) want(all []topics.Camera) {
	if reflect.DeepEqual(all, f.known) {
		return
	}
	f.known = all
	putNewest(f.wanted, all)
}

// lookTime is how often entries of the file that are not in force are looked for:
// people and other files change the table too.
const lookTime = 10 * time.Second

// run syncs until ctx ends.
func (f *fileSync) run(ctx context.Context) error {
	now, noted := cameraedit.OfFile(f.Config), false
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for first := true; ; first = false {
		// The worker must trust a camera before it finds it on the table.
		f.stage.SetOwn(append(now[:len(now):len(now)], f.flags...))
		var left []string
		err := f.untilGranted(ctx, partFileCameras, func() (err error) { left, err = f.SyncCameras(ctx, f.owner, now); return err })
		if err != nil {
			return IgnoreEnd(ctx, err)
		}
		f.reportLeft(left)
		if first {
			close(f.first)
		} else if f.cameraNote != "" && len(now) > 0 && !noted {
			noted = true
			f.warn(ctx, f.cameraNote)
		}
		edited, more := f.next(ctx, tick.C, now)
		if !more {
			return nil
		}
		now = edited
	}
}

// next waits for the cameras of another edit; false: ctx has ended. Meanwhile it
// looks for entries that are not in force.
func (f *fileSync) next(ctx context.Context, tick <-chan time.Time, now []topics.Camera) (edited []topics.Camera, more bool) {
	for {
		select {
		case <-ctx.Done():
			return nil, false
		case edited = <-f.wanted:
			return edited, true
		case <-tick:
			f.look(ctx, now)
		}
	}
}

// look finds the entries of the file that nobody watches. While Kafka can't be asked,
// what was reported stays.
func (f *fileSync) look(ctx context.Context, now []topics.Camera) {
	t, err := f.silentCameras()
	if err != nil {
		return
	}
	if left, err := t.NotInForce(ctx, f.owner, now); err == nil {
		f.reportLeft(left)
	}
}

// reportLeft reports entries that are not in force, as long as that is so.
func (f *fileSync) reportLeft(left []string) {
	var err error
	if len(left) > 0 {
		err = errors.New(strings.Join(left, "; "))
	}
	f.reporter.Warning(partFileCameras, err)
}
