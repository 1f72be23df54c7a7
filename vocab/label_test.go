package vocab

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseLabel(t *testing.T) {
	for _, c := range []struct {
		name, field, value string
		want               Label
	}{
		{"bare", "running", "", Label{Name: "running"}},
		{"blanks around", "  running ", " at speed\n", Label{Name: "running", Description: "at speed"}},
		{"words", "loitering", "standing around", Label{Name: "loitering", Description: "standing around"}},
		{"object", "fall", `{"description":" hard ","aliases":["tumble "],"tags":[" care"],"background":true,"threshold":0.4,"begins":"upright ","ends":" lying"}`,
			Label{Name: "fall", Description: "hard", Aliases: []string{"tumble"}, Tags: []string{"care"}, Background: true, Threshold: .4, Begins: "upright", Ends: "lying"}},
		{"empty object", "fall", " {} ", Label{Name: "fall"}},
		{"direction mark", "نزول \u200fشخص", "", Label{Name: "نزول \u200fشخص"}},
		{"words that begin as a list", "a", "[at night] a man walks", Label{Name: "a", Description: "[at night] a man walks"}},
		{"words that begin as a number", "a", "2 people", Label{Name: "a", Description: "2 people"}},
		{"words in quotes", "a", `"the gate" opens`, Label{Name: "a", Description: `"the gate" opens`}},
		{"other scripts", "人が倒れる", "ゆっくり", Label{Name: "人が倒れる", Description: "ゆっくり"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseLabel(c.field, c.value)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestBadLabelsAreRefused(t *testing.T) {
	for _, c := range []struct{ name, field, value, want string }{
		{"no name", " ", "", "label is empty"},
		{"long name", strings.Repeat("a", 257), "", "label of 257 bytes: at most 256"},
		{"control in name", "a\x00b", "", "label has a control character"},
		{"reversed text", "a\u202eb", "", "label has a character in it that changes the direction of the text after it"},
		{"isolated tag", "a", `{"tags":["a\u2066b"]}`, "tags has a character in it that changes the direction"},
		{"not UTF-8", "a\xff", "", "label is not UTF-8"},
		{"long value", "a", strings.Repeat("b", 4097), "value of 4097 bytes: at most 4096"},
		{"control in words", "a", "b\x1b[31m", "description has a control character"},
		{"control in object", "a", `{"begins":"\u0007"}`, "begins has a control character"},
		{"broken object", "a", `{"tags":`, "its value begins with { and is not valid JSON: unexpected end of JSON input (at byte 8)"},
		{"unknown key", "a", `{"tags":["treshold"], "treshold" :0.3}`, `its value has an unknown key "treshold" (at byte 23): want description, aliases, tags, background, threshold, begins or ends`},
		{"another brace", "a", `{"description":"x"}}`, "is not valid JSON: invalid character '}' after top-level value"},
		{"a bracket", "a", `{"description":"x"}]`, "is not valid JSON"},
		{"two objects", "a", `{} {}`, "is not valid JSON"},
		{"rubbish after", "a", `{}garbage`, "is not valid JSON"},
		{"a number", "a", "0.5", `value is a number: want words that describe the label, or JSON such as {"threshold": 0.5}`},
		{"a negative number", "a", " -1e3\n", "value is a number"},
		{"a list", "a", `["b"]`, "value is a list"},
		{"an empty list", "a", `[]`, "value is a list"},
		{"a broken list", "a", `["b", `, "value is a list"},
		{"true", "a", `true`, "value is true"},
		{"null", "a", `null`, "value is null"},
		{"wrong type", "a", `{"aliases":"b"}`, `"aliases" in its value must be a list of texts, as ["one", "two"] (at byte 2)`},
		{"number as text", "a", `{"threshold":"high"}`, `"threshold" in its value must be a number from 0 to 1`},
		{"no flag", "a", `{"background":1}`, `"background" in its value must be true or false`},
		{"number in a list", "a", `{"tags":[1]}`, `"tags" in its value must be a list of texts`},
		{"threshold", "a", `{"threshold":1.5}`, "threshold 1.5: want 0 to 1"},
		{"empty alias", "a", `{"aliases":[" "]}`, "aliases: one of them is empty"},
		{"empty tag", "a", `{"tags":[""]}`, "tags: one of them is empty"},
		{"long tag", "a", `{"tags":["` + strings.Repeat("x", 129) + `"]}`, "tags of 129 bytes: at most 128"},
		{"many tags", "a", `{"tags":["x"` + strings.Repeat(`,"x"`, 32) + `]}`, "33 tags: at most 32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := ParseLabel(c.field, c.value)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %+v, %v; want %q", l, err, c.want)
			}
			if strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "vocab.") {
				t.Errorf("speaks of the program: %v", err)
			}
		})
	}
}

func TestValueIsReadBack(t *testing.T) {
	for _, l := range []Label{
		{Name: "a"},
		{Name: "a", Description: "words"},
		{Name: "a", Description: "  {not an object "},
		{Name: "a", Description: "911"},
		{Name: "a", Description: `["x"`},
		{Name: "a", Description: "x", Aliases: []string{" b"}, Tags: []string{"c"}, Background: true, Threshold: .25, Begins: "d", Ends: "e"},
	} {
		value, err := l.Value()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLabel(l.Name, value)
		if want := l.trimmed(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read back as %+v, %v; want %+v", value, got, err, want)
		}
	}
	if value, err := (Label{Name: "a", Tags: []string{"\xff"}}).Value(); err == nil {
		t.Errorf("a tag that is not UTF-8 is written as %q", value)
	}
}

func TestReadLabels(t *testing.T) {
	got, err := ReadLabels(strings.NewReader("\ufeffperson falling\r\n# a remark\n\n  \nloitering\tstanding around\nfight\t{\"tags\":[\"danger\"]}\n"))
	want := []Label{{Name: "person falling"}, {Name: "loitering", Description: "standing around"}, {Name: "fight", Tags: []string{"danger"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = ReadLabels(strings.NewReader("fine\n\t{}\nb\t{\nc\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2: label is empty") || !strings.Contains(err.Error(), "line 3: its value begins") {
		t.Errorf("got %v", err)
	}
}

// A backup must bring back what was there, also labels that a file of lines can't
// hold.
func TestWrittenLabelsAreReadBack(t *testing.T) {
	labels := []Label{
		{Name: "a"},
		{Name: "# no comment", Description: "  not trimmed"},
		{Name: `"quoted" <b> & more`, Description: "{no JSON"},
		{Name: "[x]", Aliases: []string{"b", "c"}, Tags: []string{"t"}, Background: true, Threshold: .25, Begins: "d", Ends: "e"},
		{Name: "人が倒れる", Description: strings.Repeat("x", maxValue)},
	}
	for _, some := range [][]Label{nil, labels[:1], labels} {
		var b strings.Builder
		if err := WriteLabels(&b, some); err != nil {
			t.Fatal(err)
		}
		got, err := ReadLabels(strings.NewReader(b.String()))
		if err != nil || len(got) != len(some) {
			t.Fatalf("%s is read as %+v, %v", b.String(), got, err)
		}
		for i, l := range some {
			if !reflect.DeepEqual(got[i], l.trimmed()) {
				t.Errorf("%+v is read back as %+v", l, got[i])
			}
		}
		if lines := strings.Count(b.String(), "\n"); lines != len(some)+2 {
			t.Errorf("%d lines for %d labels: %s", lines, len(some), b.String())
		}
	}
}

func TestMistakesInAFileOfJSON(t *testing.T) {
	for text, want := range map[string]string{
		`["fall"]`:       "want an array of objects",
		`[{"lable":""}]`: `object 1: want a key "label" with a text`,
		`[{"label":"a"},{"label":"b","treshold":1},{"label":"c","threshold":2}]`:  `object 2: label "b": its value has an unknown key "treshold"`,
		`[{"label":"c","threshold":2}]`:                                           `object 1: label "c": threshold 2: want 0 to 1`,
		`[{"label":" "}]`:                                                         "label is empty",
		`[{"label":"a","description":"` + strings.Repeat("x", maxValue+1) + `"}]`: "at most 4096",
		`[{"label":"a"},{"label":"b\u0007","skipped":"why"}]`:                     "",
	} {
		got, err := ReadLabels(strings.NewReader(text))
		if want == "" && (err != nil || len(got) != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.80s: got %+v, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzParseLabel(f *testing.F) {
	f.Add("running", "")
	f.Add(" a ", "in words")
	f.Add("a", `{"description":" {x","aliases":["b"],"threshold":0.5}`)
	f.Add("a", `{}}`)
	f.Add("a\xff", "\x00")
	f.Fuzz(func(t *testing.T, field, value string) {
		l, err := ParseLabel(field, value)
		if err != nil {
			return
		}
		for _, text := range append(l.Texts(), l.Tags...) {
			if r, ok := outOfPlace(text); ok || bare(text) == "" {
				t.Errorf("accepted the text %q with %U", text, r)
			}
			if !utf8.ValidString(text) || strings.TrimSpace(text) == "" || strings.ContainsRune(text, 0) {
				t.Errorf("accepted the text %q", text)
			}
		}
		again, err := l.Value()
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > maxValue {
			return // escapes may make it longer than what was read
		}
		back, err := ParseLabel(l.Name, again)
		if err != nil || back.Description != l.Description || back.Threshold != l.Threshold || len(back.Aliases) != len(l.Aliases) {
			t.Errorf("%+v, written as %q, is read back as %+v, %v", l, again, back, err)
		}
	})
}

// Whatever a file of labels holds, a label that is read can be stored.
func FuzzReadLabels(f *testing.F) {
	f.Add("\ufeffperson falling\r\n# a remark\n\n  \nloitering\tstanding around\nfight\t{\"tags\":[\"danger\"]}\n")
	f.Add("fine\n\t{}\nb\t{\nc\n")
	f.Add("a\tb\tc\n\x00\n\xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := ReadLabels(strings.NewReader(text))
		if err != nil {
			return
		}
		if lines := strings.Count(text, "\n") + 1; len(labels) > lines {
			t.Errorf("%d labels in %d lines", len(labels), lines)
		}
		for _, l := range labels {
			value, err := l.Value()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseLabel(l.Name, value); err != nil && len(value) <= maxValue {
				t.Errorf("%+v was read, and is refused when it is stored: %v", l, err)
			}
		}
	})
}
