package up

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/starter"
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
		"an archive that is too large": {10e9, 7e9, 0, 0, "archive.retention.size: 7GB leaves the broker too little of --size 10GB: want 6.0 GB or less (without the key it is 4.0 GB), or --size 12GB or more"},
		"too small":                    {1e9, 0, 0, 0, "--size 1GB: want 4GB or more, such as --size 50GB"},
		"larger than the disk":         {9e18, 0, 0, 0, "the disk of"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &up{Options: Options{Data: t.TempDir(), Size: c.size}, cfg: config.Default()}
			u.cfg.Archive.Retention.Size, u.cfg.Ingest.Packets.Dir = c.archive, filepath.Join(u.Data, "packets")
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

// What frostwatch writes itself, at a first start or by `init machine`, does not stand in the
// way of any bound that is allowed.
func TestFirstConfigurationsTakeTheLeastSize(t *testing.T) {
	machine, err := starter.Config(starter.Machine, starter.Options{Bundle: "models/a"})
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "frostwatch.yaml")
	if err := os.WriteFile(written, machine, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{"the demo": {}, "a model of one's own": {Model: "models/a"}, "init machine": {Config: written}} {
		for size, want := range map[int64]config.Bytes{leastSize: 16e8, 10e9: 4e9, 0: 20e9} {
			o.Data, o.Size = t.TempDir(), size
			u := &up{Options: o}
			if err := u.readConfig(); err != nil || u.cfg.Archive.Retention.Size != want {
				t.Errorf("%s, --size %v: the archive gets %v: %v", name, config.Bytes(size), u.cfg.Archive.Retention.Size, err)
			}
		}
	}
}

// Only what is in the data directory has a share of it; a person's own size is refused where it
// is written.
func TestShareOfWhatTheFileSets(t *testing.T) {
	for name, c := range map[string]struct {
		text           string // %s: the data directory
		archive, video config.Bytes
		want           string
	}{
		"too much":                 {"log: {}\narchive: {retention: {size: 7GB}}\n", 0, 0, "f.yaml:2: archive.retention.size: 7GB leaves"},
		"its folder by name":       {"archive: {bucket: '%s/./archive'}\n", 4e9, 2e9, ""},
		"too much there":           {"archive: {bucket: 'file://%s/a', retention: {size: 7GB}}\n", 0, 0, "f.yaml:1: archive.retention.size"},
		"an archive elsewhere":     {"archive: {bucket: /elsewhere, retention: {size: 900GB}}\n", 900e9, 2e9, ""},
		"one elsewhere, unbounded": {"archive: {bucket: /elsewhere}\n", 0, 2e9, ""},
		"none":                     {"archive: {bucket: none, retention: {size: 900GB}}\n", 900e9, 2e9, ""},
		"video elsewhere":          {"ingest: {packets: {dir: /elsewhere, total: 90GB}}\n", 4e9, 90e9, ""},
	} {
		dir := t.TempDir()
		u := &up{Options: Options{Data: filepath.Join(dir, "data"), Size: 10e9, Config: filepath.Join(dir, "f.yaml")}}
		if err := os.WriteFile(u.Config, []byte(strings.ReplaceAll(c.text, "%s", u.Data)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := u.readConfig()
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		if a, v := u.cfg.Archive.Retention.Size, u.cfg.Ingest.Packets.Total; err != nil || a != c.archive || v != c.video {
			t.Errorf("%s: archive %v, video %v: %v", name, a, v, err)
		}
	}
}

func TestSuggestedSizeFits(t *testing.T) {
	for _, c := range []struct {
		taken, free int64
		want        string
	}{
		{0, 62e9, "want less, such as --size 55GB"},
		{30e9, 62e9, "want less, such as --size 82GB"},
		{0, 4e9, "free some, the least is --size 4GB"},
	} {
		if got := lower(c.taken, c.free); got != c.want {
			t.Errorf("%d taken, %d free: %s", c.taken, c.free, got)
		}
	}
	for kept, want := range map[config.Bytes]string{6e9: "10GB", 6e9 + 2: "11GB", 20e9: "34GB"} {
		if got := fmt.Sprint(sizeFor(kept)); got != want {
			t.Errorf("an archive of %v wants %s, got %s", kept, want, got)
		}
	}
}

func TestSettingsSayWhatIsTaken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 3e6), 0o600); err != nil {
		t.Fatal(err)
	}
	got := WithTaken([]config.Setting{{Key: "framer.queue", Value: "8"}, {Key: sizeKey, Value: "10GB"}}, dir)
	if got[0].Value != "8" || got[1].Value != "10GB ("+dir+" takes 3 MB)" {
		t.Errorf("%+v", got)
	}
}
