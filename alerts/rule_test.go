package alerts

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestBadRulesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(*Rule)
		want string
	}{
		{"no name", func(r *Rule) { r.Name = "" }, "name: want 1 to 64"},
		{"name", func(r *Rule) { r.Name = "a/b" }, "name: want 1 to 64"},
		{"no selector", func(r *Rule) { r.Actions = nil }, "exactly one of actions, tags, novel: true, absent and stream"},
		{"two selectors", func(r *Rule) { r.Novel = true }, "exactly one of actions, tags, novel: true, absent and stream"},
		{"empty action", func(r *Rule) { r.Actions = []string{"a", ""} }, "actions: an empty label"},
		{"empty tag", func(r *Rule) { r.Actions, r.Tags = nil, []string{" "} }, "tags: an empty tag"},
		{"glob", func(r *Rule) { r.Cameras = []string{"a["} }, `cameras: "a[": want a name or a glob such as ward-*`},
		{"glob's tail", func(r *Rule) { r.Cameras = []string{"abc[z-"} }, "want a name or a glob"},
		{"empty glob", func(r *Rule) { r.Cameras = []string{""} }, `cameras: "": want a name or a glob`},
		{"raise", func(r *Rule) { r.Score = &Levels{Raise: 1.1} }, "score: raise 1.1: want 0 to 1"},
		{"raise is no number", func(r *Rule) { r.Score = &Levels{Raise: math.NaN()} }, "want 0 to 1"},
		{"clear is no number", func(r *Rule) { r.Score = &Levels{Clear: math.NaN()} }, "want 0 to 1"},
		{"clear above raise", func(r *Rule) { r.Score = &Levels{Raise: .4, Clear: .5} }, "clear not above raise"},
		{"clips", func(r *Rule) { r.Clips = ClipsRule{3, 2} }, "clips: 3 of 2: want N of M"},
		{"many clips", func(r *Rule) { r.Clips = ClipsRule{1, 101} }, "clips: 1 of 101"},
		{"cooldown", func(r *Rule) { r.Cooldown = -1 }, "cooldown: -1ns: want 0 or more"},
		{"a receiver that none can be", func(r *Rule) { r.Notify = []string{"ops", "a b"} }, `notify: "a b": want 1 to 64 letters`},
		{"a long question", func(r *Rule) { r.Verify = strings.Repeat("a", 301) }, "verify: want at most 300 bytes"},
		{"a question about a stream", func(r *Rule) { *r = Rule{Name: "r", Stream: &StreamRule{Offline: time.Minute}, Verify: "Is it dark?"} }, "verify: a rule on streams looks at no clips"},
		{"severity", func(r *Rule) { r.Severity = "dire" }, `severity: "dire": want info, warning or critical`},
		{"then without labels", func(r *Rule) { r.Then = &Then{Within: 1} }, "then: actions is missing"},
		{"then with an empty label", func(r *Rule) { r.Then = &Then{[]string{" "}, 1} }, "then: an empty label"},
		{"then at no time", func(r *Rule) { r.Then = &Then{[]string{"b"}, 0} }, "then: within 0s: want more than 0 and at most 1h0m0s"},
		{"then too late", func(r *Rule) { r.Then = &Then{[]string{"b"}, 2 * time.Hour} }, "then: within 2h0m0s: want"},
		{"then an absence", func(r *Rule) { absent(r); r.Then = &Then{[]string{"b"}, 1} }, "then: want it beside actions, tags or novel"},
		{"absence beside actions", func(r *Rule) { absent(r); r.Actions = []string{"b"} }, "exactly one of actions, tags, novel: true, absent and stream"},
		{"absence without labels", func(r *Rule) { absent(r); r.Absent.Actions = nil }, "absent: actions is missing"},
		{"absence of a day and more", func(r *Rule) { absent(r); r.Absent.For = 25 * time.Hour }, "absent: for 25h0m0s: want more than 0 and at most 24h0m0s"},
		{"absence with a budget", func(r *Rule) { absent(r); r.FalseAlarms = Budget{Count: 1, Per: day} }, "false_alarms: a rule on absence has no budget"},
		{"absence with a clear", func(r *Rule) { absent(r); r.Score = &Levels{.5, .4} }, "score: clear 0.4: a rule on absence clears when"},
		{"absence with a long cooldown", func(r *Rule) { absent(r); r.Cooldown = 2 * time.Hour }, "cooldown: 2h0m0s: want at most the 1h0m0s of absent"},
		{"absence longer than its hours", func(r *Rule) { absent(r); r.Schedule = &Schedule{From: "08:00", To: "08:30"} }, "absent: for 1h0m0s: its hours last 30m0s at most"},
		{"absence longer than between quiet hours", func(r *Rule) { absent(r); r.Quiet = &Schedule{From: "00:30", To: "00:00"} }, "absent: for 1h0m0s: its hours last 30m0s at most"},
		{"count of one", func(r *Rule) { r.Count = &Count{1, time.Minute} }, "count: 1 cameras: want 2 to 1000"},
		{"count at no time", func(r *Rule) { r.Count = &Count{2, 0} }, "count: within 0s: want 1s to 1h0m0s"},
		{"count with a budget", func(r *Rule) { countsTwo(r); r.FalseAlarms = Budget{Count: 1, Per: day} }, "false_alarms: a rule that counts cameras has no budget"},
		{"count with a clear", func(r *Rule) { countsTwo(r); r.Score = &Levels{.5, .4} }, "score: clear 0.4: a rule that counts cameras clears when"},
		{"count of a sequence", func(r *Rule) { countsTwo(r); r.Then = &Then{[]string{"b"}, 1} }, "then: a rule that counts cameras can't have it"},
		{"count of absences", func(r *Rule) { countsTwo(r); absent(r) }, "absent: a rule that counts cameras can't have it"},
		{"count with severities", func(r *Rule) { countsTwo(r); r.SeverityFrom = &SeverityFrom{Critical: .9} }, "severity_from: a rule that counts"},
		{"count that escalates", func(r *Rule) { countsTwo(r); r.Escalate = &Escalate{After: time.Minute} }, "escalate: a rule that counts"},
		{"count that is inhibited", func(r *Rule) { countsTwo(r); r.InhibitedBy = []string{"b"} }, "inhibited_by: a rule that counts"},
		{"count with an override of severity", func(r *Rule) { countsTwo(r); r.Overrides = []Override{{Cameras: []string{"a"}, Severity: "info"}} },
			"overrides[0]: severity: the alert of a rule that counts cameras is of all of them"},
		{"count of streams", func(r *Rule) { countsTwo(r); r.Actions, r.Stream = nil, &StreamRule{Offline: time.Minute} }, "count: a rule on streams looks at no clips"},
		{"tag of cameras", func(r *Rule) { r.CameraTags = []string{""} }, "camera_tags: an empty tag"},
		{"severity from nothing", func(r *Rule) { r.SeverityFrom = &SeverityFrom{} }, "severity_from: want warning, critical or both"},
		{"severity from too much", func(r *Rule) { r.SeverityFrom = &SeverityFrom{Warning: 2} }, "severity_from: 2: want 0 to 1"},
		{"severity from no number", func(r *Rule) { r.SeverityFrom = &SeverityFrom{Warning: math.NaN()} }, "severity_from: NaN: want 0 to 1"},
		{"severities the wrong way round", func(r *Rule) { r.SeverityFrom = &SeverityFrom{.9, .5} }, "severity_from: warning 0.9, critical 0.5: want warning not above critical"},
		{"severity of an absence", func(r *Rule) { absent(r); r.SeverityFrom = &SeverityFrom{Warning: .5} }, "severity_from: an absence has no value"},
		{"escalate at once", func(r *Rule) { r.Escalate = &Escalate{} }, "escalate: after 0s: want more than 0"},
		{"escalate to nothing", func(r *Rule) { r.Escalate = &Escalate{time.Minute, "dire"} }, `escalate: severity "dire": want warning or critical`},
		{"escalate to info", func(r *Rule) { r.Escalate = &Escalate{time.Minute, "info"} }, `escalate: severity "info": want warning or critical`},
		{"escalate to the same", func(r *Rule) { r.Escalate = &Escalate{time.Minute, "warning"} }, `escalate: severity "warning": want one above the rule's own, which is warning`},
		{"escalate from the top", func(r *Rule) { r.Severity, r.Escalate = "critical", &Escalate{After: time.Minute} }, "escalate: the rule's alerts are critical already"},
		{"inhibits itself", func(r *Rule) { r.InhibitedBy = []string{"r"} }, `inhibited_by: "r": a rule can't inhibit itself`},
		{"inhibited by nothing", func(r *Rule) { r.InhibitedBy = []string{" "} }, "inhibited_by: an empty name"},
		{"override for no camera", func(r *Rule) { r.Overrides = []Override{{Severity: "info"}} }, "overrides[0]: want the cameras that it is for"},
		{"override's glob", func(r *Rule) { r.Overrides = []Override{{Cameras: []string{"["}, Severity: "info"}} }, `overrides[0]: cameras: "[": want a name or a glob`},
		{"override of nothing", func(r *Rule) { r.Overrides = []Override{{Cameras: []string{"a"}}} }, "overrides[0]: it changes nothing"},
		{"override's value", func(r *Rule) {
			r.Overrides = []Override{{Cameras: []string{"a"}, Severity: "info"}, {CameraTags: []string{"b"}, Score: &Levels{Raise: 7}}}
		}, "overrides[1]: score: raise 7: want 0 to 1"},
		{"override's clips", func(r *Rule) { r.Overrides = []Override{{Cameras: []string{"a"}, Clips: ClipsRule{3, 2}}} }, "overrides[0]: clips: 3 of 2"},
		{"days", func(r *Rule) { r.Schedule = &Schedule{Days: "mon-fry"} }, `days "mon-fry"`},
		{"hour", func(r *Rule) { r.Schedule = &Schedule{From: "8:00"} }, `from: "8:00": want HH:MM`},
		{"past midnight", func(r *Rule) { r.Schedule = &Schedule{To: "24:01"} }, `to: "24:01": want HH:MM`},
		{"from 24:00", func(r *Rule) { r.Schedule = &Schedule{From: "24:00", To: "08:00"} }, `from: "24:00": want HH:MM from 00:00 to 23:59`},
		{"no hours", func(r *Rule) { r.Schedule = &Schedule{To: "00:00"} }, "from and to are both 00:00"},
		{"zone", func(r *Rule) { r.Schedule = &Schedule{Timezone: "Mars/Olympus"} }, `timezone "Mars/Olympus"`},
		{"zone of the machine", func(r *Rule) { r.Schedule = &Schedule{Timezone: "Local"} }, `timezone "Local"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Rule{Name: "r", Actions: []string{"a"}}
			c.bend(&r)
			if _, err := NewRuleSet(r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	twice := Rule{Name: "r", Novel: true}
	if set, err := NewRuleSet(twice, twice); set != nil || err == nil || !strings.Contains(err.Error(), `the name "r" is used twice`) {
		t.Errorf("got %v", err)
	}
}

// absent makes a rule one on absence.
func absent(r *Rule) { r.Actions, r.Absent = nil, &Absent{[]string{"a"}, time.Hour} }

// countsTwo makes a rule one that counts cameras.
func countsTwo(r *Rule) { r.Count = &Count{2, time.Minute} }

func TestCountsAreWrittenInWords(t *testing.T) {
	for text, want := range map[string]string{
		"3 cameras within 30s": "3 cameras within 30s", " 12  cameras within 1m30s ": "12 cameras within 1m30s",
		"cameras within 30s": "", "3 within 30s": "", "3 cameras within 30": "", "-3 cameras within 30s": "", "3 cameras within 30s or so": "", "": "",
	} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); (err == nil) != (want != "") || err == nil && c.String() != want {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	set, err := compileText("rules:\n  - {name: a, actions: [a], count: {cameras: 4, within: 1m}}\n")
	if err != nil || *set.find("a").Count != (Count{4, time.Minute}) {
		t.Errorf("%v", err)
	}
}

func TestShortTexts(t *testing.T) {
	for _, c := range []struct{ text, label, want string }{
		{"person running within 30s", "person running", "30s"},
		{` "person running" within 1m30s `, "person running", "1m30s"},
		{"'within' within 2s", "within", "2s"},
		{"person within within 1h", "person within", "1h0m0s"},
		{"person running", "", ""}, {"within 30s", "", ""}, {"person within 30", "", ""}, {"person within soon", "", ""}, {"", "", ""},
	} {
		var then Then
		var unseen Absent
		err := then.UnmarshalText([]byte(c.text))
		again := unseen.UnmarshalText([]byte(strings.ReplaceAll(c.text, "within", "for")))
		if (err == nil) != (c.want != "") || c.want != "" && (then.Within.String() != c.want || !slices.Equal(then.Actions, []string{c.label})) {
			t.Errorf("%q: %+v, %v", c.text, then, err)
		}
		if (again == nil) != (c.want != "") || c.want != "" && unseen.For != then.Within {
			t.Errorf("absent, %q: %+v, %v", c.text, unseen, again)
		}
	}
}

func TestClipsText(t *testing.T) {
	for text, want := range map[string]ClipsRule{"2 of 3": {2, 3}, " 1of1 ": {1, 1}, "0 of 0": {}, "0 of 3": {}, "two of 3": {}, "2": {}, "1000 of 1000": {}} {
		var c ClipsRule
		err := c.UnmarshalText([]byte(text))
		if (err == nil) != (want != ClipsRule{}) || err == nil && c != want {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	// What is written can be read, also where the rule says nothing.
	for _, c := range []ClipsRule{{}, {2, 3}} {
		text, err := c.MarshalText()
		var back ClipsRule
		if err != nil || back.UnmarshalText(text) != nil || back != c.orOne() {
			t.Errorf("%v is written %q", c, text)
		}
	}
}

func TestSelection(t *testing.T) {
	danger := topics.LabelScore{Label: "Fall", Tags: []string{"danger"}, Novel: true}
	normal := topics.LabelScore{Label: "walk", Tags: []string{"danger"}, Novel: true, Background: true}
	for _, c := range []struct {
		name           string
		rule           Rule
		danger, normal bool
	}{
		{"action", Rule{Actions: []string{" fall "}}, true, false},
		{"background by name", Rule{Actions: []string{"walk"}}, false, true},
		{"tag", Rule{Tags: []string{"x", "danger"}}, true, false},
		{"other tag", Rule{Tags: []string{"Danger"}}, false, false},
		{"novel", Rule{Novel: true}, true, false},
	} {
		c.rule.Name = "r"
		r := ruleSet(t, c.rule).find("r")
		if a, b := r.selects(&danger), r.selects(&normal); a != c.danger || b != c.normal {
			t.Errorf("%s: %v and %v", c.name, a, b)
		}
	}
	if r := (Rule{Cameras: []string{"ward-*", "lobby"}}); !r.watches("ward-1", nil) || !r.watches("lobby", nil) || r.watches("lobby-2", nil) {
		t.Error("the wrong cameras are watched")
	}
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		score      Levels
		label      float64
		raise, low float64
	}{
		{Levels{}, 0, DefaultRaise, DefaultRaise * 2 / 3},
		{Levels{}, .3, .3, .2},
		{Levels{Raise: .6}, .3, .6, .4},
		{Levels{Raise: .6, Clear: .1}, 0, .6, .1},
		{Levels{Clear: .4}, .3, .3, .3}, // a label's own threshold below the rule's clear
	} {
		raise, low := (&judge{rule: Rule{Score: &c.score}}).levels(&topics.LabelScore{Threshold: c.label})
		if math.Abs(raise-c.raise) > 1e-9 || math.Abs(low-c.low) > 1e-9 {
			t.Errorf("%+v, label %v: %v and %v, want %v and %v", c.score, c.label, raise, low, c.raise, c.low)
		}
	}
}

func TestSchedule(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	office := Schedule{Days: "mon-fri", From: "08:00", To: "18:00", Timezone: "Europe/Berlin"}
	night := Schedule{Days: "fri,sat", From: "22:00", To: "06:00"}
	for _, c := range []struct {
		name     string
		schedule Schedule
		at       string
		want     bool
	}{
		{"always", Schedule{}, "2026-01-04T00:00:00Z", true},
		{"begins", office, "2026-01-05T08:00:00+01:00", true},
		{"before", office, "2026-01-05T07:59:59+01:00", false},
		{"ends", office, "2026-01-05T18:00:00+01:00", false},
		{"weekend", office, "2026-01-04T12:00:00+01:00", false},
		{"summer time", office, "2026-07-06T06:00:00Z", true},
		{"winter time", office, "2026-01-05T06:30:00Z", false},
		{"night begins", night, "2026-01-02T23:00:00Z", true}, // a Friday
		{"of the day before", night, "2026-01-04T05:59:00Z", true},
		{"not on Thursday's morning", night, "2026-01-02T05:00:00Z", false},
		{"not on Sunday", night, "2026-01-04T22:00:00Z", false},
		{"over the week's end", Schedule{Days: "sat-mon"}, "2026-01-04T12:00:00Z", true},
		{"until midnight", Schedule{From: "23:00", To: "24:00"}, "2026-01-04T23:59:59Z", true},
	} {
		h, err := c.schedule.parse()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := h.on(at(c.at)); got != c.want {
			t.Errorf("%s: on is %v at %s", c.name, got, c.at)
		}
	}
}

// What a rule remembers of labels is what comparing their spelling gives, whatever came
// in between.
func TestALabelIsSelectedByAnySpelling(t *testing.T) {
	wanted := map[string]bool{
		"falling down": true, "FALLING  DOWN ": true, "falling dow": false, "falling down.": false, "\u00a0falling down\u00a0": true,
		"straße": true, "run \u212a": true, "run k": true, "run j": false, "run [": false, "n": false, "{": false, "": false,
	}
	var n labelNames
	judges := []*judge{
		{rule: Rule{Actions: []string{"Falling Down", "Straße", "run K"}}, names: &n},
		{rule: Rule{Actions: []string{"nothing of these"}}, names: &n},
		{rule: Rule{Actions: []string{"Falling Down", "Straße", "run K"}}}, // without an engine
	}
	for round := range 3 * maxNames / 10 { // names are forgotten more than once
		var labels []topics.LabelScore
		for label := range wanted {
			labels = append(labels, topics.LabelScore{Label: label})
		}
		for i := range 10 {
			labels = append(labels, topics.LabelScore{Label: fmt.Sprint("label ", round, i)})
		}
		n.see(labels)
		for k, j := range judges {
			selected := j.selected(labels)
			for i, l := range labels {
				if got := slices.Contains(selected, i); got != (wanted[l.Label] && k != 1) {
					t.Fatalf("round %d, label %q: rule %d selects it: %v", round, l.Label, k, got)
				}
			}
		}
	}
	if n.numbers.Len() > maxNames {
		t.Errorf("%d names are remembered", n.numbers.Len())
	}
}
