package up

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
)

func TestShare(t *testing.T) {
	for name, c := range map[string]struct {
		size          int64
		archive       config.Bytes // set in the file
		packets, kept config.Bytes // what they get
		want          string
	}{
		"no bound":                     {0, 0, 8e9, 20e9, ""},
		"a large one":                  {100e9, 0, 8e9, 20e9, ""},
		"a small one":                  {10e9, 0, 2e9, 4e9, ""},
		"an archive of a size":         {10e9, 6e9, 2e9, 6e9, ""},
		"an archive that is too large": {10e9, 7e9, 0, 0, "archive.retention.size (7.0GB) leaves the broker too little"},
		"too small":                    {1e9, 0, 0, 0, "want 4GB or more, such as --size 50GB"},
		"larger than the disk":         {9e18, 0, 0, 0, "the disk of"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &up{Options: Options{Data: t.TempDir(), Size: c.size}, cfg: config.Default()}
			u.cfg.Archive.Retention.Size = c.archive
			u.ownArchive()
			err := u.share()
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v", err)
				}
				return
			}
			if packets, archive := u.cfg.Ingest.Packets.Total, u.cfg.Archive.Retention.Size; err != nil || packets != c.packets || archive != c.kept {
				t.Errorf("packets %d, archive %d: %v", packets, archive, err)
			}
		})
	}
}
