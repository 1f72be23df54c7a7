package export

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIntervals(t *testing.T) {
	in, err := ReadIntervals("labels.csv", strings.NewReader("\ufeffLabel, note,camera,start,end\r\n"+
		"\"climbing, over a fence\",x,door-*,1795613162.25,2026-11-25T14:30:00+01:00\r\n\r\n"+
		"falling down,\"two\nlines\",lobby,2026-11-25T13:00:00Z,2026-11-25T13:00:01.5Z\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Interval{
		{"door-*", time.Unix(1795613162, 25e7).UTC(), time.Date(2026, 11, 25, 13, 30, 0, 0, time.UTC), "climbing, over a fence", 2},
		{"lobby", time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC), time.Date(2026, 11, 25, 13, 0, 1, 5e8, time.UTC), "falling down", 4},
	}
	if !slices.Equal(in.List, want) {
		t.Errorf("got  %+v\nwant %+v", in.List, want)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	const header, good = "camera,start,end,label\n", "lobby,1795613162,1795613170,falling\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "labels.csv:1: it is empty: want a first line that names the columns camera, start, end and label"},
		{"no header", good, "labels.csv:1: no column camera: want a first line that names the columns camera, start, end and label"},
		{"column twice", "camera,camera,start,end,label\n", `labels.csv:1: column "camera" comes twice`},
		{"nothing", header, "labels.csv:1: it holds no interval"},
		{"fields", header + good + "lobby,1795613162\n", "labels.csv:3: wrong number of fields"},
		{"quote", header + "lo\"bby,1795613162,1795613170,x\n", `labels.csv:2: bare " in non-quoted-field`},
		{"start", header + good + "lobby,noon,1795613170,x\n", `labels.csv:3: start "noon": want RFC 3339 such as 2026-03-01T12:00:00+01:00, or Unix seconds`},
		{"no zone", header + "lobby,2026-03-01T12:00:00,1795613170,x\n", `labels.csv:2: start "2026-03-01T12:00:00": want RFC 3339 such as 2026-03-01T12:00:00+01:00, or Unix seconds`},
		{"milliseconds", header + "lobby,1795613162000,1795613170000,x\n", `labels.csv:2: start "1795613162000": as Unix seconds that is not a time of our days (milliseconds, or a duration without its unit?)`},
		{"not a number", header + "lobby,1795613162,NaN,x\n", `labels.csv:2: end "NaN": as Unix seconds that is not a time of our days (milliseconds, or a duration without its unit?)`},
		{"order", header + "lobby,1795613170,1795613170,x\n", "labels.csv:2: the end 1795613170 is not after the start 1795613170"},
		{"glob", header + "lob[by,1795613162,1795613170,x\n", `labels.csv:2: camera "lob[by" is not a glob`},
		{"no camera", header + ",1795613162,1795613170,x\n", `labels.csv:2: camera "" is not a glob`},
		{"no label", header + "lobby,1795613162,1795613170, \n", `labels.csv:2: label "": want words`},
		{"no wording", header + "lobby,1795613162,1795613170,| |\n", `labels.csv:2: label "| |": want words; | separates wordings`},
		{"line break", header + "lobby,1795613162,1795613170,\"a\nb\"\n", `labels.csv:2: label "a\nb": want no line breaks or control characters`},
		{"unicode line break", header + "lobby,1795613162,1795613170,a\u2028b\n", `labels.csv:2: label "a\u2028b": want no line breaks or control characters`},
		{"not text", header + "lobby,1795613162,1795613170,a\xffb\n", `labels.csv:2: label "a\xffb": not UTF-8 text`},
		{"spelling", header + good + good + "lobby,1795613162,1795613170,Falling\n", `labels.csv:4: label "Falling" differs from "falling" of line 2 only in case or spaces`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ReadIntervals("labels.csv", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m": now.Add(-10 * time.Minute), "7d": now.Add(-7 * 24 * time.Hour), "0s": now, "1.5h": now.Add(-90 * time.Minute),
		"2026-11-25T12:00:00+01:00": now.Add(-2 * time.Hour), "1795613162": time.Unix(1795613162, 0).UTC(),
	} {
		if got, err := ParseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "-10m", "noon", "d", "NaNd", "1e300d", "2026-11-25"} {
		if got, err := ParseMoment(text, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestBadIntervalsComeBeforeKafka(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		bend func(*Options)
		want string
	}{
		{"camera", func(o *Options) { o.Cameras = []string{"a["} }, `export clips: camera "a[" is not a glob`},
		{"no camera", func(o *Options) { o.Cameras = nil }, "export clips: camera: want at least one name or glob"},
		{"range", func(o *Options) { o.Until = o.Since }, "export clips: since 1970-01-01T00:00:01Z is not before until 1970-01-01T00:00:01Z"},
		{"overlap", func(o *Options) { o.Overlap = 0 }, "export clips: overlap 0: want more than 0 and at most 1"},
		{"val", func(o *Options) { o.Val = 0.6 }, "export clips: val 0.6: want 0 to 0.5"},
		{"two labels", func(o *Options) { o.Labels = []string{"a", "b"} }, "export clips: without labelled intervals every clip gets one label: want exactly one --label and no --background"},
		{"empty label", func(o *Options) { o.Labels = []string{""} }, `export clips: label "": want words`},
		{"other label", func(o *Options) {
			o.Intervals, o.Labels = intervals(t, "*,1795613162,1795613170,falling"), []string{"fall"}
		}, `export clips: label "fall": labels.csv has "falling"`},
		{"out", func(o *Options) { o.Out = "" }, "export clips: out: want a folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(memory(nil), "clips", path.Join(dir, c.name), time.Unix(1, 0))
			c.bend(&o)
			if _, err := Clips(t.Context(), o); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if _, err := os.Stat(o.Out); o.Out != "" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder was made: %v", err)
			}
		})
	}
}

func FuzzReadIntervals(f *testing.F) {
	f.Add("camera,start,end,label\nlobby,1795613162,1795613170,falling\n")
	f.Add("\ufefflabel,camera,start,end,x\n\"a \"\"b\"\"\",door-*,2026-11-25T13:00:00Z,2026-11-25T13:00:01.5+01:00,\n")
	f.Add("camera,start,end,label\nlob[by,-1,NaN,\u2028\n")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := ReadIntervals("labels.csv", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "labels.csv:") {
				t.Errorf("%v does not name file and line", err)
			}
			return
		}
		last := 1
		for _, i := range in.List {
			if _, err := path.Match(i.Camera, "x"); err != nil || !i.End.After(i.Start) || checkLabel(i.Label) != nil || i.Line < last {
				t.Errorf("accepted %+v", i)
			}
			last = i.Line
		}
	})
}
