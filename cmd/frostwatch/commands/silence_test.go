package commands

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"log/slog"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/topics"
)

// Silences are added, listed, shown in the status and ended; what is wrong or fits nothing
// is named.
func TestSilencesAndProfilesAreEditedWithCommands(t *testing.T) {
	broker, redis := kafkatest.StartEmbedded(t), redistest.Start(t)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	n := topics.Names{Prefix: "s."}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(n, 2, 1)); err != nil {
		t.Fatal(err)
	}
	open := topics.Alert{ID: "fall/ward-2-1-2", State: topics.AlertRaised, Rule: "fall", Severity: "warning", Camera: "ward-2", Label: "falling down",
		Measure: "contrast", Contrast: .9, Threshold: .5, Onset: time.Now(), At: time.Now(), OnsetClip: "ward-2-1-2", Clip: "ward-2-1-2", Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"}}
	crowd := open
	crowd.ID, crowd.Rule, crowd.Cameras = "crowd/ward-2-1-2", "crowd", []string{"ward-1", "ward-2"}
	for _, a := range []topics.Alert{open, crowd} {
		value, err := topics.EncodeAlert(a)
		if err == nil {
			_, err = client.Table(n.Of(topics.OpenAlerts)).Put(t.Context(), a.OpenKey(), value, a.Key())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	config := fmt.Sprintf("kafka: {brokers: [%q], prefix: s.}\nredis: {address: %q, prefix: \"f:\"}\nrules: [{name: fall, actions: [falling down]}]\n"+
		"notify: {profiles: [{name: home, disarm: [{rules: [\"intruder-*\"], camera_tags: [indoor]}]}, {name: away}]}\n", broker.Addr(), redis.Addr)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, bool) { return command(t, append(args, "--config", file)...) }
	check := func(ok bool, want string, args ...string) string {
		t.Helper()
		out, did := run(args...)
		if did != ok || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%q: %v\n%s\nwant %s", args, did, out, want)
		}
		return out
	}
	check(true, `camera ward-2 added`, "camera", "add", "ward-2", "rtsp://10.0.0.7/s", "--tag", "indoor")
	check(true, `^nothing is silenced\n$`, "silence", "ls")
	out := check(true, `^silence \w{8}: rule fall, camera ward-\*, tag indoor, until 20\S+ \S+\n$`,
		"silence", "add", "--rule", "fall", "--camera", "ward-*", "--tag", "indoor", "--for", "2h", "--note", "cleaning", "--by", "ana")
	id := strings.TrimSuffix(strings.Fields(out)[1], ":")
	check(true, `rule fall, camera ward-2, until`, "silence", "add", "--alert", open.ID, "--for", "30m")
	check(true, `^silence \w+: rule crowd, until 20\S+ \S+\n`, "silence", "add", "--alert", crowd.ID, "--for", "40m")
	check(true, `^silence \w+: rule fal, camera lobby-\*, tag night, until .*\nwarning: there is no rule fal now\nwarning: there is no camera lobby-\* now\nwarning: no camera has the tag night now\n$`,
		"silence", "add", "--rule", "fal", "--camera", "lobby-*", "--tag", "night", "--for", "1m")
	for want, args := range map[string]string{
		`want --rule, --camera, --tag or --alert; --all silences`: "--for 1h",
		`want --for or --until: a silence ends by itself`:         "--all",
		`want --all, or what to silence, not both`:                "--all --rule fall --for 1h",
		`no open alert has the id "x"`:                            "--alert x --for 1h",
		`cameras: "\[": want a name or a glob`:                    "--camera [ --for 1h",
		`"-5m" for "--for" flag: a length of time can't be less than nothing: want a number with a unit such as 2h`: "--all --for -5m",
		`a silence lasts at most 366 days`:          "--all --for 400d",
		`--until 2020-01-01 is over`:                "--all --until 2020-01-01",
		`--until "soon": want a time such as 18:30`: "--all --until soon",
	} {
		check(false, want, append([]string{"silence", "add"}, strings.Fields(args)...)...)
	}
	check(true, `(?s)SILENCED.*\nrule fall, camera ward-\*, tag indoor +(2h0m0s|1h59m\d+s) +cleaning\n`, "status")
	check(false, `silence "zz": there is none in force; none was ended`, "silence", "rm", id, "zz")
	check(true, `^silence `+id+` has ended\n$`, "silence", "rm", id)
	var listed, ended []topics.Silence
	out, _ = run("silence", "ls", "--json")
	all, _ := run("silence", "ls", "--ended", "--json")
	if json.Unmarshal([]byte(out), &listed) != nil || json.Unmarshal([]byte(all), &ended) != nil || len(listed) != 3 || len(ended) != 4 || ended[0].ID != id || ended[0].Note != "cleaning" {
		t.Errorf("in force %s\nall %s", out, all)
	}

	check(true, `home +- +not delivered: rule intruder-\*, tag indoor\naway +- +everything is delivered\n$`, "profile", "ls")
	check(false, `profile "hom": notify.profiles has home, away`, "profile", "set", "hom")
	check(true, `^the profile home is in force: not delivered: rule intruder-\*, tag indoor\n$`, "profile", "set", "home")
	check(true, `home +20\S+ \S+ +not`, "profile", "ls")
	check(true, `The profile home is in force\.`, "status")
	check(true, `^no profile is in force: nothing is disarmed\n$`, "profile", "clear")
	check(true, `home +- `, "profile", "ls")
}

// A time of day is the next one; what is over can't be meant.
func TestUntilWhen(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"18:30":               time.Date(2026, 3, 1, 18, 30, 0, 0, time.Local),
		"12:00":               time.Date(2026, 3, 2, 12, 0, 0, 0, time.Local),
		"2026-03-03":          time.Date(2026, 3, 3, 0, 0, 0, 0, time.Local),
		"2026-03-03 08:15":    time.Date(2026, 3, 3, 8, 15, 0, 0, time.Local),
		"2026-03-03 08:15:30": time.Date(2026, 3, 3, 8, 15, 30, 0, time.Local),
	} {
		if got, err := (&silenceFlags{until: text}).end(now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := (&silenceFlags{keep: 90 * time.Minute}).end(now); err != nil || !got.Equal(now.Add(90*time.Minute)) {
		t.Errorf("%v, %v", got, err)
	}
}
