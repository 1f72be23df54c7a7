package calibrate

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Each wrong row is named with its line and with what is allowed, all of them at once.
func TestWrongRowsOfATruthAreNamed(t *testing.T) {
	const head = "camera,label,start,end\n"
	const watched = "lobby,watched,2026-03-01T08:00:00Z,2026-03-01T12:00:00Z\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "it is empty: want a first line that names the columns camera,label,start,end"},
		"semicolons":     {"camera;label;start;end\n", "line 1: no column camera: want a first line that names the columns"},
		"no end":         {"camera,label,start\n", "line 1: no column end"},
		"both":           {"camera,label,rule,start,end\n", "line 1: want one of the columns label and rule, not both"},
		"twice":          {"camera,label,start,end,Start\n", `line 1: column "start" is named twice`},
		"no header":      {watched, "line 1: no column camera"},
		"nothing":        {head + watched, "it has no cases"},
		"quotes":         {head + watched + "lobby,\"falling\" down,2026-03-01T08:00:00Z,2026-03-01T08:01:00Z\nx\n", "line 3: it is no CSV"},
		"the one after":  {head + watched + "lobby,\"falling\" down,2026-03-01T08:00:00Z,2026-03-01T08:01:00Z\nx\n", "line 4: it has 1 columns, and the first line has 4"},
		"a glob":         {head + "lob*,fall,2026-03-01T08:00:00Z,2026-03-01T08:01:00Z\n", `line 2: camera "lob*": want the name of one camera`},
		"no label":       {head + watched + "lobby, ,2026-03-01T08:00:00Z,2026-03-01T08:01:00Z\n", `line 3: label "": want 1 to 500 bytes of text, or watched for a time that somebody watched`},
		"no zone":        {head + watched + "lobby,fall,2026-03-01T08:00:00,2026-03-01 08:01\n", `line 3: start "2026-03-01T08:00:00": want RFC 3339 with a time zone, such as 2026-03-01T14:03:20Z`},
		"of both times":  {head + watched + "lobby,fall,2026-03-01T08:00:00,2026-03-01 08:01\n", `line 3: end "2026-03-01 08:01": want RFC 3339`},
		"long ago":       {head + watched + "lobby,fall,0001-03-01T08:00:00Z,2026-03-01T08:01:00Z\n", "line 3: start \"0001-03-01T08:00:00Z\": want a year from 1971 to 2200"},
		"backwards":      {head + watched + "lobby,fall,2026-03-01T09:00:00+01:00,2026-03-01T08:00:00Z\n", "line 3: start 2026-03-01T08:00:00Z is not before end 2026-03-01T08:00:00Z"},
		"days":           {head + watched + "lobby,fall,2026-03-01T09:00:00Z,2026-03-03T08:00:00Z\n", "line 3: it lasts for 47h0m0s: want at most 24h0m0s"},
		"nobody watched": {head + watched + "yard,fall,2026-03-01T09:00:00Z,2026-03-01T09:01:00Z\n", "line 3: no row says which time of camera yard was watched: add yard with the label watched"},
		"not then":       {head + watched + "lobby,fall,2026-03-01T11:59:00Z,2026-03-01T12:01:00Z\n", "line 3: 2026-03-01T11:59:00Z to 2026-03-01T12:01:00Z is not all in the time of camera lobby that was watched"},
	} {
		_, err := ReadTruth(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	_, err := ReadTruth(strings.NewReader(head + strings.Repeat("?,?,?,?\n", 50)))
	var all Mistakes
	if !errors.As(err, &all) || len(all) != 150 || strings.Count(err.Error(), "\n") != shownMistakes || !strings.HasSuffix(err.Error(), "and 130 more") {
		t.Errorf("%d mistakes: %v", len(all), err)
	}
}

// Columns come in any order, and others beside them; labels are one however they are
// spelled; what overlaps is one case, and what touches was watched in one go.
func TestATruthIsRead(t *testing.T) {
	const text = "\ufeffNote, End,label,start,camera\r\n" +
		"\"first, and best\",2026-03-01T10:00:00Z,Watched,2026-03-01T08:00:00Z,lobby\r\n" +
		",2026-03-01T12:00:00Z,watched,2026-03-01T10:00:00Z,lobby\n" +
		",2026-03-01T20:00:00Z,watched,2026-03-01T19:00:00Z,yard\n" +
		"\n" +
		",2026-03-01T11:00:30.5+01:00,Falling  down,2026-03-01T11:00:00+01:00,lobby\n" +
		",2026-03-01T09:30:00Z,falling down,2026-03-01T09:29:00Z,lobby\n" +
		",2026-03-01T09:31:00Z,falling down,2026-03-01T09:29:50Z,lobby\n" +
		",2026-03-01T19:01:00Z,climbing,2026-03-01T19:00:00Z,yard\n"
	got, err := ReadTruth(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	at := func(clock string) time.Time {
		v, err := time.Parse(time.RFC3339, "2026-03-01T"+clock+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if strings.Join(got.Names, "|") != "Falling down|climbing" || got.Rules || strings.Join(got.Cameras(), "|") != "lobby|yard" {
		t.Errorf("%+v", got)
	}
	falls := got.cases["Falling down"]["lobby"]
	if len(falls) != 2 || falls[0] != (noted{interval{at("09:29:00"), at("09:31:00")}, 7}) || falls[1] != (noted{interval{at("10:00:00"), at("10:00:30.5")}, 6}) {
		t.Errorf("falls %v", falls)
	}
	if got.Cases("Falling down") != 2 || got.repeated["Falling down"] != 1 || got.Cases("climbing") != 1 || got.line("Falling down") != 6 {
		t.Errorf("%d and %d cases, %v repeated", got.Cases("Falling down"), got.Cases("climbing"), got.repeated)
	}
	if since, until := got.Bounds(); since != at("08:00:00") || until != at("20:00:00") {
		t.Errorf("%v to %v", since, until)
	}
	if _, ok := got.watch("lobby", at("09:59:00"), at("10:01:00")); !ok || len(got.watched["lobby"]) != 1 {
		t.Errorf("watched %v", got.watched["lobby"])
	}
	if _, ok := got.watch("lobby", at("11:59:00"), at("12:01:00")); ok {
		t.Error("watched past its end")
	}
	rules, err := ReadTruth(strings.NewReader("camera,rule,start,end\nlobby,watched,2026-03-01T08:00:00Z,2026-03-01T12:00:00Z\nlobby,Fall,2026-03-01T09:00:00Z,2026-03-01T09:01:00Z\nlobby,fall,2026-03-01T09:00:00Z,2026-03-01T09:01:00Z\n"))
	if err != nil || !rules.Rules || strings.Join(rules.Names, "|") != "Fall|fall" {
		t.Errorf("%+v, %v", rules, err)
	}
}

// Whatever a file has in it, it is refused, or all of its cases were watched and don't
// overlap.
func FuzzReadTruth(f *testing.F) {
	f.Add("camera,label,start,end\nlobby,watched,2026-03-01T08:00:00Z,2026-03-01T12:00:00Z\nlobby,fall,2026-03-01T09:00:00Z,2026-03-01T09:01:00Z\n")
	f.Add("\ufeffend,rule,start,camera,note\n2026-03-01T12:00:00+14:00,Watched,2026-03-01T08:00:00Z,a,\"x\ny\"\n")
	f.Add("camera,label,start,end\n\"a\"b,c\n,,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadTruth(strings.NewReader(text))
		if err != nil {
			if err.Error() == "" {
				t.Error("an empty error")
			}
			return
		}
		if len(got.Names) == 0 {
			t.Error("accepted without cases")
		}
		for _, name := range got.Names {
			if got.Cases(name) == 0 || got.line(name) < 2 {
				t.Errorf("%q has %d cases from line %d on", name, got.Cases(name), got.line(name))
			}
			for camera, rows := range got.cases[name] {
				for i, row := range rows {
					if _, ok := got.watch(camera, row.from, row.to); !ok || !row.from.Before(row.to) || i > 0 && !row.from.After(rows[i-1].to) {
						t.Errorf("accepted %v of %v", row, rows)
					}
				}
			}
		}
	})
}
