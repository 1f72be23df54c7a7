//go:build !race

package archive

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestCheckNamesWhatIsWrong(t *testing.T) {
	k, whole := recorded(t, 9000, hour), bucket(t)
	archived(t, k, whole, 1, -1, 8192)
	remove := func(t *testing.T, file string) { must(t, os.Remove(file)) }
	for name, c := range map[string]struct {
		bend      func(t *testing.T, files []string) // of four segments
		committed int64
		deleted   bool   // by age: what is missing is rightly gone
		want      string // "": no fault
		where     string
	}{
		"whole":             {committed: 8192},
		"crash":             {committed: 7200},
		"last is missing":   {bend: func(t *testing.T, f []string) { remove(t, f[3]) }, committed: 8192, want: "no segment holds offsets 7200 to 8191", where: "t.actions/1"},
		"middle is missing": {bend: func(t *testing.T, f []string) { remove(t, f[1]) }, committed: 8192, want: "offsets 3600 to 4095 are missing", where: "t.actions/1"},
		"all are missing": {bend: func(t *testing.T, f []string) {
			for _, file := range f {
				remove(t, file)
			}
		}, committed: 8192, want: "no segment holds offsets 0 to 8191", where: "t.actions/1"},
		"all are too old": {bend: func(t *testing.T, f []string) {
			for _, file := range f {
				remove(t, file)
			}
		}, committed: 8192, deleted: true},
		"oldest are gone": {bend: func(t *testing.T, f []string) { remove(t, f[0]) }, committed: 8192},
		"cut off":         {bend: func(t *testing.T, f []string) { must(t, os.Truncate(f[2], 5000)) }, committed: 8192, want: "cut off", where: "04096-"},
		"too large":       {bend: func(t *testing.T, f []string) { must(t, os.Truncate(f[2], 512<<20)) }, committed: 8192, want: "536870912 bytes, of ", where: "04096-"},
		"bytes within": {bend: func(t *testing.T, f []string) {
			b, err := os.ReadFile(f[2])
			must(t, err)
			clear(b[1000:2000])
			must(t, os.WriteFile(f[2], b, 0o644))
		}, committed: 8192, want: "broken", where: "04096-"},
		"renamed": {bend: func(t *testing.T, f []string) {
			must(t, os.Rename(f[3], strings.Replace(f[3], "8192.parquet", "8193.parquet", 1)))
		}, committed: 8192, want: "does not match its name", where: "07200-"},
		"foreign": {bend: func(t *testing.T, f []string) {
			must(t, os.WriteFile(filepath.Join(filepath.Dir(f[0]), "notes.txt"), nil, 0o644))
		}, committed: 8192, want: "no segment has such a name", where: "notes.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bucket(t)
			must(t, os.CopyFS(b.dir, os.DirFS(whole.dir)))
			var files []string
			for _, s := range listed(t, b, topics.Actions) {
				files = append(files, filepath.Join(b.dir, filepath.FromSlash(s.Key())))
			}
			if c.bend != nil {
				c.bend(t, files)
			}
			o := CheckOptions{Bucket: b, Names: names, Group: "archive", Log: k, Committed: func(_ context.Context, group, topic string) (map[int]int64, error) {
				if group != "archive-actions" || topic != "t.actions" {
					return nil, nil
				}
				return map[int]int64{1: c.committed}, nil
			}}
			if c.deleted {
				o.Keep.Actions = time.Hour
			}
			r, err := Check(t.Context(), o)
			must(t, err)
			if c.want == "" {
				if len(r.Faults) > 0 {
					t.Errorf("faults %+v", r.Faults)
				}
				return
			}
			if !slices.ContainsFunc(r.Faults, func(f Fault) bool {
				return strings.Contains(f.What, c.want) && strings.Contains(f.Where, c.where) && f.Advice != ""
			}) {
				t.Errorf("faults %+v, want %q of %s", r.Faults, c.want, c.where)
			}
		})
	}
}

func TestDays(t *testing.T) {
	k, b := recorded(t, 9000, hour.Add(12*time.Hour)), bucket(t) // from 22:00 to past midnight
	archived(t, k, b, 1, -1, 8192)
	must(t, os.Truncate(filepath.Join(b.dir, filepath.FromSlash(listed(t, b, topics.Actions)[0].Key())), 100))
	days, err := b.Days(t.Context(), Range{})
	must(t, err)
	if len(days) != 2 || days[0].Day != "2026-11-28" || days[0].Segments != 3 || days[0].Broken != 1 || days[0].Rows != 7200-3600 ||
		days[1].Rows != 8192-7200 || !equal(days[1].Models, []string{"abc"}) || days[1].Partitions != 1 || !days[1].First.Equal(hour.Add(14*time.Hour)) {
		t.Errorf("%+v", days)
	}
	if days, err = b.Days(t.Context(), Range{Since: hour.Add(15 * time.Hour), Cameras: []string{"lobby"}}); err != nil || len(days) != 0 {
		t.Errorf("%+v %v", days, err)
	}
}

// A listing takes the days one after the other: it may lack what the stage wrote to a
// day that was listed already, and have what retention removes before it is read.
func TestCheckReportsNothingThatChangedWhileItListed(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t)
	archived(t, k, b, 1, -1, 8192)
	first := listed(t, b, topics.Actions)
	if len(first) != 4 {
		t.Fatalf("%d segments, want 4", len(first))
	}
	must(t, b.remove(t.Context(), first[0].Key()))
	first = slices.Delete(first, 2, 3)
	c := checker{CheckOptions: CheckOptions{Bucket: b, Names: names, Log: k}, topic: topics.Actions, report: &Report{}}
	must(t, c.checkListed(t.Context(), first, map[int]int64{1: 8192}))
	if len(c.report.Faults) > 0 {
		t.Errorf("%+v", c.report.Faults)
	}
}
