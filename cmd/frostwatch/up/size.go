package up

import (
	"fmt"
	"path/filepath"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/disk"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// leastSize is the least bound on the data directory: the broker keeps the newest file
	// of each partition, of up to 16 MB.
	leastSize = 4e9
	// archiveSize bounds the archive of a data directory whose configuration does not.
	archiveSize = 20e9
	// sizeKey is the name under which settings hold the bound.
	sizeKey = "--size"
)

// ownArchive puts the archive into the data directory unless its configuration names a
// bucket, and bounds it unless its configuration does.
func (u *up) ownArchive() {
	a := &u.cfg.Archive
	own := a.Bucket == ""
	if own {
		a.Bucket = ArchiveDir(u.Data)
	}
	switch kept := &a.Retention.Size; {
	case *kept > 0:
	case u.Size > 0 && u.holds(a.Bucket):
		*kept = u.archiveShare()
	case own:
		*kept = archiveSize
	}
}

// archiveShare is the size of the archive where its configuration names none.
func (u *up) archiveShare() config.Bytes { return config.Bytes(min(archiveSize, u.Size/5*2)) }

// holds is whether a folder, or the folder of an archive, is in the data directory.
func (u *up) holds(location string) bool {
	dir, is := archive.Folder(location)
	if !is || dir == config.NoArchive {
		return false
	}
	data, err := filepath.Abs(u.Data)
	if err != nil {
		return false
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return false
	}
	below, err := filepath.Rel(data, dir)
	return err == nil && filepath.IsLocal(below)
}

// share divides the data directory's size: packets get a fifth at most, the archive two
// fifths unless its own bound is set, and what they do not take is the broker's.
func (u *up) share() error {
	if u.Size == 0 {
		return nil
	}
	size := config.Bytes(u.Size)
	if u.Size < leastSize {
		return fmt.Errorf("--size %v: want %v or more, such as --size 50GB", size, config.Bytes(leastSize))
	}
	if room, _, err := disk.Above(u.Data); err == nil && u.Size > room.Size {
		return fmt.Errorf("--size %v: the disk of %s has %s in all, and %s are free: %s", size, u.Data,
			config.Bytes(room.Size).Short(), config.Bytes(room.Free).Short(), lower(embedded.SizeOf(u.Data), room.Free))
	}
	if packets := &u.cfg.Ingest.Packets; u.holds(packets.Dir) {
		packets.Total = min(packets.Total, size/5)
	}
	if kept, most := u.cfg.Archive.Retention.Size, size/5*3; kept > most && u.holds(u.cfg.Archive.Bucket) {
		return u.file.Wrong("archive.retention.size", fmt.Sprintf("%v leaves the broker too little of --size %v: want %s or less (without the key it is %s), or --size %v or more",
			kept, size, (most/1e8*1e8).Short(), u.archiveShare().Short(), sizeFor(kept)))
	}
	return nil
}

// sizeFor is the bound, in whole GB, of which an archive is three fifths at most.
func sizeFor(kept config.Bytes) config.Bytes { return ((kept+2)/3*5 + 1e9 - 1) / 1e9 * 1e9 }

// fitting is a bound that the data directory can grow to: nine tenths of what it takes and of
// what is free, in whole GB. It is 0 where the disk has no room for the least bound.
func fitting(taken, free int64) config.Bytes {
	if fits := (taken + free) / 10 * 9 / 1e9 * 1e9; fits >= leastSize {
		return config.Bytes(fits)
	}
	return 0
}

// lower says what to do where the bound is larger than the disk.
func lower(taken, free int64) string {
	if fits := fitting(taken, free); fits > 0 {
		return fmt.Sprintf("want less, such as --size %v", fits)
	}
	return fmt.Sprintf("free some, the least is --size %v", config.Bytes(leastSize))
}

// sizeLine says where the data directory is, how large it is, and what bounds it.
func (u *up) sizeLine() string {
	size := embedded.SizeOf(u.Data)
	taken := config.Bytes(size).Short()
	room, _, err := disk.Above(u.Data)
	switch {
	case u.Size > 0:
		return fmt.Sprintf("takes %s of the %s of --size: the oldest clips make room", taken, config.Bytes(u.Size).Short())
	case err == nil:
		line := fmt.Sprintf("takes %s, and may grow until the disk is full (%s are free)", taken, config.Bytes(room.Free).Short())
		if fits := fitting(size, room.Free); fits > 0 {
			line += fmt.Sprintf(": --size %v bounds it", min(fits, 50e9))
		}
		return line
	}
	return "takes " + taken
}

// WithTaken adds to what is said of --size how much the data directory takes at present.
func WithTaken(all []config.Setting, data string) []config.Setting {
	for i, s := range all {
		if s.Key == sizeKey {
			all[i].Value = fmt.Sprintf("%s (%s takes %s)", s.Value, data, config.Bytes(embedded.SizeOf(data)).Short())
		}
	}
	return all
}

// describeData adds to the worker's record how large the data directory is, and its bound.
func (u *up) describeData(w *topics.Worker) {
	if u.Size > 0 {
		w.Data = &topics.DataRoom{Bytes: u.broker.Data(), Bound: u.Size}
	}
}

// bound is what the broker keeps: clips make room first, which are the most and the
// shortest-lived; then recognitions, which the archive has; then pictures of alerts.
func (u *up) bound() embedded.Bound {
	names := topics.Names{Prefix: u.cfg.Kafka.Prefix}
	return embedded.Bound{Folder: u.Data, Most: u.Size, Gives: []string{names.Of(topics.Clips), names.Of(topics.Actions), names.Of(topics.Evidence)}}
}
