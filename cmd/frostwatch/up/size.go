package up

import (
	"fmt"

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
)

// ownArchive puts the archive into the data directory, with a bound on its size.
func (u *up) ownArchive() {
	a := &u.cfg.Archive
	if a.Bucket != "" {
		return
	}
	a.Bucket = ArchiveDir(u.Data)
	if a.Retention.Size == 0 {
		a.Retention.Size = archiveSize
		if u.Size > 0 {
			a.Retention.Size = config.Bytes(min(archiveSize, u.Size/5*2))
		}
	}
}

// share divides the data directory's size: packets get a fifth at most, the archive two
// fifths unless its own bound is set, and what they do not take is the broker's.
func (u *up) share() error {
	if u.Size == 0 {
		return nil
	}
	if u.Size < leastSize {
		return fmt.Errorf("--size is %d bytes: want 4GB or more, such as --size 50GB", u.Size)
	}
	if room, _, err := disk.Above(u.Data); err == nil && u.Size > room.Size {
		return fmt.Errorf("--size %v: the disk of %s has %.1f GB in all: want less, such as --size %dGB", config.Bytes(u.Size), u.Data, float64(room.Size)/1e9, max(room.Size/2, leastSize)/1e9)
	}
	packets, kept := &u.cfg.Ingest.Packets.Total, u.cfg.Archive.Retention.Size
	*packets = min(*packets, config.Bytes(u.Size/5))
	if u.cfg.Archive.Bucket == ArchiveDir(u.Data) && (kept == 0 || kept > config.Bytes(u.Size/5*3)) {
		return fmt.Errorf("--size %.1fGB: archive.retention.size (%.1fGB) leaves the broker too little: want three fifths at most", float64(u.Size)/1e9, float64(kept)/1e9)
	}
	return nil
}

// sizeLine says where the data directory is, how large it is, and what bounds it.
func (u *up) sizeLine() string {
	taken := config.Bytes(embedded.SizeOf(u.Data)).Short()
	room, _, err := disk.Above(u.Data)
	switch {
	case u.Size > 0:
		return fmt.Sprintf("takes %s of the %s of --size: the oldest clips make room", taken, config.Bytes(u.Size).Short())
	case err == nil:
		return fmt.Sprintf("takes %s, and may grow until the disk is full (%s are free): --size 50GB bounds it", taken, config.Bytes(room.Free).Short())
	}
	return "takes " + taken
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
