package process

import (
	"fmt"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/disk"
	"github.com/frostwatch/frostwatch/topics"
)

// fillDisks adds the room that stages have which write to a folder, and warns while it is
// low; `up` watches its disk itself.
func (p *Process) fillDisks(w *topics.Worker) {
	for stage, dir := range p.folders() {
		s, has := w.Stages[stage]
		if !has {
			continue
		}
		room, _, err := disk.Above(dir)
		if err == nil {
			s.Free, s.Size = room.Free, room.Size
			w.Stages[stage] = s
			if room.Low() {
				err = fmt.Errorf("the disk of %s is nearly full: %.1f GB are free; lower archive.retention or ingest.packets", dir, float64(room.Free)/1e9)
			}
		}
		if p.onTrouble == nil {
			p.reporter.Warning("disk of "+stage, err)
		}
	}
}

// folders are those that stages write to, by stage.
func (p *Process) folders() map[string]string {
	out := map[string]string{}
	if dir, is := archive.Folder(p.Config.Archive.Bucket); is && dir != config.NoArchive {
		out["archive"] = dir
	}
	if dir := p.Config.Ingest.Packets.Dir; dir != "" {
		out["ingest"] = dir
	}
	return out
}
