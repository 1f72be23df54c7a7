package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// What the version before has stored is read by this one, which goes on with it, and the
// other way round (docs/upgrade.md): words, rules, cameras, marks, silences, alerts with
// their pictures, the archive; no alert is lost, raised or delivered twice.
func TestUpgrade(t *testing.T) {
	t.Parallel() // it mostly waits
	need(t, "git", "tar")
	before, now := versionBefore(t), version{program: program(t), days: filepath.Join(t.TempDir(), "days")}
	build := exec.Command("go", "build", "-o", now.days, "./bench/days")
	build.Dir = shared.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	u := newUpgraded(t, before)
	u.run("before", before)
	u.run("now", now)
	u.run("back", before)
}

// upgraded is a data folder with which several versions work in turn.
type upgraded struct {
	*testing.T
	data  string
	told  *receiver
	eras  []era
	films []string
	said  map[string]string // by a command of this run: what it has printed
}

// era is what was written while one version ran.
type era struct {
	name  string
	alert string    // the id of that of its rule, open ever since
	day   time.Time // of its segment in the archive
}

func newUpgraded(t *testing.T, v version) *upgraded {
	u := &upgraded{T: t, data: t.TempDir(), told: startReceiver(t, time.Hour, 0)}
	demo, err := os.ReadFile(v.demo)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("ingest: {allow: [127.0.0.1]}\nnotify:\n  receivers:\n    - {name: desk, webhook: {url: %q, private: true}}\n%s", u.told.URL, demo)
	if err := os.WriteFile(filepath.Join(u.data, "pipeline.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"corridor_fall", "street_fight"} {
		u.films = append(u.films, "--video", filepath.Join(shared.Root(t), "cmd/frostwatch/demo/data", name+".mp4"))
	}
	return u
}

// run lets a version find all that was written, and write more.
func (u *upgraded) run(name string, v version) {
	p, at := upOf(u, v.program, u.data, u.films...)
	u.said = map[string]string{}
	for _, e := range u.eras {
		u.finds(v, name, e)
	}
	u.eras = append(u.eras, u.writes(v, at, name))
	u.once(at)
	p.stop(u)
}

// does runs a command of a version to its end.
func (u *upgraded) does(v version, args ...string) string {
	u.Helper()
	out, err := runOf(u, v.program, append(args, "--data", u.data)...)
	if err != nil {
		u.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// writes has one of each kind written, named after the era, and its rule raise an alert
// that stays open.
func (u *upgraded) writes(v version, at addresses, name string) era {
	u.Helper()
	e := era{name: name, day: time.Now().UTC().AddDate(0, 0, -2-len(u.eras)).Truncate(24 * time.Hour)}
	file := filepath.Join(u.TempDir(), "rule.yaml")
	text := fmt.Sprintf("actions: [walking]\ncameras: [corridor_fall]\nsimilarity: {raise: -0.9, clear: -0.95}\ncooldown: 2%ds\n", len(u.eras)) // each its own
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		u.Fatal(err)
	}
	u.does(v, "vocab", "add", "juggling "+name)
	u.does(v, "camera", "add", "gate-"+name, "rtsp://127.0.0.1:9/"+name, "--tag", "outdoor")
	u.does(v, "silence", "add", "--camera", "gate-"+name, "--for", "2h", "--note", "works "+name)
	u.does(v, "rule", "add", "kept-"+name, "-f", file)
	await(u, "the alert of a new rule ("+name+")", time.Minute, func() bool {
		time.Sleep(300 * time.Millisecond) // each look is a process
		all, _ := kcatAlerts(u, at.Kafka)
		for _, a := range all {
			if a.Rule == "kept-"+name {
				e.alert = a.ID
			}
		}
		return e.alert != ""
	})
	u.does(v, "alerts", "mark", e.alert, "false", "--note", "seen "+name, "--by", "ana")
	u.archives(v, at, e)
	return e
}

// archives writes recognitions of the topic into the archive as if they were older: the
// stage itself writes a segment at the full hour.
func (u *upgraded) archives(v version, at addresses, e era) {
	u.Helper()
	all, _ := kcatActions(u, at.Kafka)
	var lines bytes.Buffer
	for i, r := range all[:min(2, len(all))] {
		past := e.day.Add(time.Duration(i) * time.Minute)
		r.Start, r.End, r.Epoch = past, past.Add(r.End.Sub(r.Start)), past
		r.Camera, r.ClipID = "archived-"+e.name, topics.ClipID("archived-"+e.name, past, 0)
		value, err := topics.EncodeRecognition(r)
		if err != nil {
			u.Fatal(err)
		}
		lines.Write(value)
		lines.WriteByte('\n')
	}
	days := exec.Command(v.days, filepath.Join(u.data, "archive"))
	days.Stdin = &lines
	if out, err := days.CombinedOutput(); err != nil {
		u.Fatalf("days: %v: %s", err, out)
	}
}

// finds checks that a version has what an era has written.
func (u *upgraded) finds(v version, name string, e era) {
	u.Helper()
	for _, c := range []struct{ want, args string }{
		{"juggling " + e.name, "vocab ls"},
		{"juggling " + e.name, "vocab history"},
		{"kept-" + e.name, "rule history"},
		{"gate-" + e.name, "camera ls"},
		{"outdoor", "camera ls"},
		{"works " + e.name, "silence ls"},
		{e.alert, "alerts ls --open"},
		{"false, ", "alerts show " + e.alert},
		{"by ana: seen " + e.name, "alerts show " + e.alert},
		{e.day.Format(time.DateOnly), "archive ls"},
	} {
		if u.said[c.args] == "" {
			u.said[c.args] = u.does(v, strings.Fields(c.args)...)
		}
		if out := u.said[c.args]; !strings.Contains(out, c.want) {
			u.Errorf("%s: %s of %s has no %q:\n%s", name, c.args, e.name, c.want, out)
		}
	}
	if out := u.does(v, "rule", "show", "kept-"+e.name); !strings.Contains(out, "similarity: {raise: -0.9, clear") || strings.Contains(out, "skipped") {
		u.Errorf("%s: the rule of %s:\n%s", name, e.name, out)
	}
	dir := u.TempDir()
	u.does(v, "alerts", "show", e.alert, "--out", dir)
	if pictures, err := filepath.Glob(filepath.Join(dir, "*.jpg")); err != nil || len(pictures) < 8 {
		u.Errorf("%s: %d pictures of the alert of %s, %v", name, len(pictures), e.name, err)
	}
	await(u, "the past of "+e.name+" to be searched", time.Minute, func() bool { // until infer answers
		time.Sleep(100 * time.Millisecond)
		out, _ := runOf(u, v.program, "search", "falling down", "--since", e.day.Format(time.RFC3339), "--until", e.day.Add(24*time.Hour).Format(time.RFC3339), "--data", u.data)
		return strings.Contains(out, "archived-"+e.name)
	})
}

// once checks that nothing was done twice and nothing undone, and that all was delivered.
func (u *upgraded) once(at addresses) {
	u.Helper()
	keys := map[string]bool{}
	kept := map[string]int{}
	all, _ := kcatAlerts(u, at.Kafka)
	for _, a := range all {
		if keys[a.EventID()] {
			u.Errorf("%s was published twice", a.EventID())
		}
		if keys[a.EventID()] = true; strings.HasPrefix(a.Rule, "kept-") {
			kept[a.Rule]++
		}
	}
	for _, e := range u.eras {
		if n := kept["kept-"+e.name]; n != 1 {
			u.Errorf("the rule kept-%s, whose alert stays open, has %d records", e.name, n)
		}
	}
	clips := map[string]bool{}
	recognitions, _ := kcatActions(u, at.Kafka)
	for _, r := range recognitions {
		if clips[r.ClipID] {
			u.Errorf("clip %s was recognised twice", r.ClipID)
		}
		clips[r.ClipID] = true
	}
	await(u, "what was raised and cleared to be delivered", time.Minute, func() bool {
		got := u.told.got()
		for key := range keys {
			if !slices.Contains(got, key) {
				return false
			}
		}
		return true
	})
	if got := u.told.got(); len(first(got)) != len(got) {
		u.Errorf("delivered twice: %q", got)
	}
}
