package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// raised is an alert about a fall, some time ago.
func raised(camera string, ago time.Duration, contrast float64) topics.Alert {
	onset := time.Now().UTC().Truncate(time.Millisecond).Add(-ago)
	clip := topics.ClipID(camera, onset.Add(-time.Hour), time.Hour)
	return topics.Alert{
		ID: topics.AlertID("fall", clip), State: topics.AlertRaised, Rule: "fall", Severity: "warning", Camera: camera, Label: "falling down",
		Score: .5, Contrast: contrast, Measure: "contrast", Threshold: .2, Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: clip, Clip: clip,
	}
}

// row is the line of a table that begins with or contains some text, its columns one
// space apart.
func row(out, text string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, text) {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return ""
}

// What a person says of an alert is kept in the partition of its camera, shown where
// alerts are shown, and counted. A later mark replaces an earlier one.
func TestAlertsMark(t *testing.T) {
	s := onBroker(t)
	over, open, other := raised("ward", time.Hour, .8), raised("yard", time.Minute, .6), raised("hall", 2*time.Hour, .3)
	for _, a := range []topics.Alert{other, over, open} {
		s.alert(t, a)
	}
	ended := over
	ended.State, ended.At, ended.Reason = topics.AlertCleared, over.At.Add(time.Minute), "the contrast fell"
	s.alert(t, ended)
	for _, c := range []struct {
		args []string
		want string // "! ": the command fails so
	}{
		{[]string{"mark", over.ID, "true", "--note", "grandma", "--by", "nurse"}, over.ID + " is marked as true\n"},
		{[]string{"mark", open.ID, "false", "--by", ""}, open.ID + " is marked as false\n"},
		{[]string{"mark", open.ID, "perhaps"}, `! mark an alert: "perhaps": want true or false`},
		{[]string{"mark", "fall/yard-1-1", "true"}, `! no alert has the id "fall/yard-1-1"`},
		{[]string{"mark", over.ID, "true", "--note", "\x1b[31m"}, "! note: want at most"},
		{[]string{"mark", over.ID}, "! mark"},
	} {
		want, fails := strings.CutPrefix(c.want, "! ")
		if out, ok := s.run(t, append([]string{"alerts"}, c.args...)...); ok == fails || !strings.Contains(out, want) {
			t.Errorf("alerts %q: got %v, %s\nwant %s", c.args, ok, out, c.want)
		}
	}
	s.inPartitionOf(t, over)
	s.inPartitionOf(t, open)
	out, _ := s.run(t, "alerts", "show", over.ID)
	if !regexp.MustCompile(`(?m)^mark +true, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, by nurse: grandma$`).MatchString(out) {
		t.Errorf("show: %s", out)
	}
	listed, _ := s.run(t, "alerts", "ls")
	for a, want := range map[string]string{over.ID: "0.80 true", open.ID: "0.60 false", other.ID: "0.30 -"} {
		if line := row(listed, a); !strings.HasSuffix(line, want+" "+a) {
			t.Errorf("ls: %s, want %s", line, want)
		}
	}
	asJSON, _ := s.run(t, "alerts", "ls", "--json", "--camera", "ward")
	var v alertlog.View
	if err := json.Unmarshal([]byte(asJSON), &v); err != nil || v.Mark == nil || !v.Mark.True || !v.Mark.Ended.Equal(ended.At) || !v.Mark.Onset.Equal(over.Onset) || v.Mark.Contrast != .8 {
		t.Errorf("ls --json: %v, %s", err, asJSON)
	}
	report := func(want string) {
		t.Helper()
		out, ok := s.run(t, "alerts", "report", "--since", "1d")
		if line := row(out, "falling down"); !ok || line != want {
			t.Errorf("report: %s\nwant %s", out, want)
		}
	}
	report("fall falling down 3 1 1 1 0.50 unknown -")
	if out, ok := s.run(t, "alerts", "mark", over.ID, "false"); !ok {
		t.Error(out)
	}
	report("fall falling down 3 0 2 1 0.00 unknown -")
	if out, _ := s.run(t, "alerts", "report", "--since", "30m", "--json"); !strings.Contains(out, `"raised":1,"marked_true":0,"marked_false":1,"unmarked":0,"precision":0}`) {
		t.Errorf("report of half an hour: %s", out)
	}
}

// An alert about what was not seen is listed so, and a mark of it says nothing of the
// contrasts at which its label was.
func TestAnAbsenceIsListedAsOne(t *testing.T) {
	v := alertlog.View{Alert: raised("ward", time.Hour, .01)}
	v.Absent = true
	var out bytes.Buffer
	if err := printAlerts(&out, []alertlog.View{v}, false); err != nil || !strings.Contains(row(out.String(), "ward"), "warning no falling down - - fall/ward") {
		t.Errorf("%v: %s", err, out.String())
	}
	if m := v.NewMark(true, time.Now()); m.Contrast != 0 || m.Score != 0 || m.Label != v.Label || !m.True {
		t.Errorf("mark %+v", m)
	}
}

// inPartitionOf checks that the mark of an alert is where its camera's records are.
func (s *served) inPartitionOf(t *testing.T, a topics.Alert) {
	t.Helper()
	marks, err := s.bus.Table(s.names.Of(topics.Marks)).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := s.send(t, topics.Status, a.Camera, []byte("x"), time.Now())
	if m, is := marks[a.ID]; !is || m.Partition != at.Partition {
		t.Errorf("mark of %s: %v in partition %d, its camera's is %d", a.ID, is, m.Partition, at.Partition)
	}
}

// Alerts of a label get a probability with its twentieth mark, and the report says
// from which contrast on they are rather true.
func TestMarksGiveAProbability(t *testing.T) {
	s := onBroker(t)
	var all []topics.Alert
	for i := range 20 {
		a := raised("ward", time.Duration(60-i)*time.Minute, .30+.02*float64(i))
		s.alert(t, a)
		all = append(all, a)
	}
	isTrue := func(i int) string { return fmt.Sprint(i >= 10 && i != 13 || i == 6) }
	for i, a := range all[:19] {
		if out, ok := s.run(t, "alerts", "mark", a.ID, isTrue(i)); !ok {
			t.Fatal(out)
		}
	}
	if out, _ := s.run(t, "alerts", "show", all[19].ID); strings.Contains(out, "probability") {
		t.Errorf("a probability after 19 marks: %s", out)
	}
	if out, ok := s.run(t, "alerts", "mark", all[19].ID, isTrue(19)); !ok {
		t.Fatal(out)
	}
	var found []float64
	for _, a := range []topics.Alert{all[0], all[10], all[19]} {
		out, _ := s.run(t, "alerts", "show", a.ID, "--json")
		var v alertlog.View
		if err := json.Unmarshal([]byte(out), &v); err != nil || v.Probability == nil {
			t.Fatalf("%v: %s", err, out)
		}
		found = append(found, *v.Probability)
	}
	if !slices.IsSorted(found) || found[0] > .3 || found[2] < .7 {
		t.Errorf("probabilities %v at contrasts .30, .50 and .68", found)
	}
	if out, _ := s.run(t, "alerts", "show", all[19].ID); !strings.Contains(out, fmt.Sprintf("probability  %.2f that it is true", found[2])) {
		t.Errorf("show: %s", out)
	}
	out, _ := s.run(t, "alerts", "report")
	var even float64
	line := row(out, "falling down")
	if _, err := fmt.Sscanf(line, "fall falling down 20 10 10 0 0.50 unknown %f", &even); err != nil || even < .42 || even > .56 {
		t.Errorf("report: %s", line)
	}
}

// Thresholds are listed with what they rest on; a record that can't be read, or of
// another key, is left out.
func TestAlertsThresholds(t *testing.T) {
	s := onBroker(t)
	if out, ok := s.run(t, "alerts", "thresholds"); !ok || !strings.Contains(out, "There are none: no rule has false_alarms, or frostwatch calibrate has not run yet") {
		t.Errorf("none: %s", out)
	}
	now := time.Now().UTC()
	put := func(key string, v topics.Threshold) {
		t.Helper()
		value, err := topics.EncodeThreshold(v)
		if err == nil {
			_, err = s.bus.Table(s.names.Of(topics.Thresholds)).Put(t.Context(), key, value, v.Camera)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	of := func(camera, rule string, raise float64) topics.Threshold {
		return topics.Threshold{
			Camera: camera, Rule: rule, RuleHash: "h", Budget: "1 per week", At: now.Add(-90 * time.Minute), Raise: raise, Clear: raise / 2,
			Model: "m", References: "r", Words: "w",
		}
	}
	counted, learning := of("yard", "fall", .4321), of("ward", "fence", .2)
	counted.Tail, counted.Days, counted.Clips, counted.Happenings, counted.Since, counted.Until = "counted", 3.5, 125_000, 41, now.Add(-84*time.Hour), now
	learning.Learning = true
	put("ward/fence", learning)
	put("yard/fall", counted)
	put("hall/fall", of("another", "fall", .9))
	if _, err := s.bus.Table(s.names.Of(topics.Thresholds)).Put(t.Context(), "door/fall", []byte("rubbish"), "door"); err != nil {
		t.Fatal(err)
	}
	out, ok := s.run(t, "alerts", "thresholds")
	want := []string{
		"RULE CAMERA BUDGET RAISE CLEAR RESTS ON AGE",
		"fall yard 1 per week 0.4321 0.216 counted, 3.5 days, 125000 clips, 41 happenings 1h30m0s",
		"fence ward 1 per week 0.2 0.1 learning: that of other cameras, or the default 1h30m0s",
	}
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if !ok || !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	asJSON, _ := s.run(t, "alerts", "thresholds", "--json")
	var v topics.Threshold
	if lines := strings.Split(strings.TrimSpace(asJSON), "\n"); len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &v) != nil || v.Raise != counted.Raise || v.Happenings != 41 {
		t.Errorf("--json: %s", asJSON)
	}
}
