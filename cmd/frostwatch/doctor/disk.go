package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/disk"
)

// Free disk, bytes: below little, something is going to be full soon; below none, it as
// good as is.
const (
	littleDisk = 5e9
	noDisk     = 500e6
)

// disks looks at the folders that are written to.
func (o Options) disks() (out []Finding) {
	for _, at := range o.folders() {
		out = append(out, diskOf(at.key, at.folder))
	}
	if len(out) == 0 {
		out = append(out, Finding{Part: "disk", Grade: OK, What: "no folder of this machine is configured to be written to"})
	}
	return out
}

type folder struct{ key, folder string }

func (o Options) folders() (out []folder) {
	if o.Data != "" {
		out = append(out, folder{"--data", o.Data})
	}
	if dir, is := archive.Folder(o.Config.Archive.Bucket); is && dir != config.NoArchive {
		out = append(out, folder{"archive.bucket", dir})
	}
	if dir := o.Config.Ingest.Packets.Dir; dir != "" {
		out = append(out, folder{"ingest.packets.dir", dir})
	}
	return out
}

// diskOf looks at the folder, or at the nearest one above it that is there.
func diskOf(key, dir string) Finding {
	s, at, err := disk.Above(dir)
	if err != nil {
		return Finding{"disk", Wrong, fmt.Sprintf("%s: %v", key, err), "name a folder that can be written to"}
	}
	return diskFinding(key, at, float64(s.Free), float64(s.Size))
}

func diskFinding(key, dir string, free, all float64) Finding {
	f := Finding{Part: "disk", Grade: OK, What: fmt.Sprintf("%s: %.1f GB of %.0f GB are free at %s", key, free/1e9, all/1e9, dir)}
	if unix.Access(dir, unix.W_OK) != nil {
		f.Grade, f.What, f.Do = Wrong, fmt.Sprintf("%s: %s can't be written to by this user", key, dir), "change its owner, or run as another user"
		return f
	}
	const do = "lower archive.retention or ingest.packets, move the folder, or add disk"
	switch {
	case free < noDisk:
		f.Grade, f.Do = Wrong, do
	case free < littleDisk:
		f.Grade, f.Do = Warning, do
	}
	return f
}
