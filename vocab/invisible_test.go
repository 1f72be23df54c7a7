package vocab

import (
	"slices"
	"strings"
	"testing"
)

func TestCharactersThatAreNotShown(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"Persian non-joiner", "می\u200cدود", ""},
		{"Persian ending of a Latin word", "CCTV\u200cها", ""},
		{"Arabic vowel sign", "بَ\u200cب", ""},
		{"Hindi joiner", "क\u094d\u200dष", ""},
		{"Bengali non-joiner", "র\u09cd\u200cয", ""},
		{"Malayalam joiner at the end of a word", "അവന\u0d4d\u200d", ""},
		{"Khmer space", "ដួល\u200bលើ", ""},
		{"Hebrew direction mark", "נפילה\u200f (1)", ""},
		{"emoji of several", "👩\u200d🚒", ""},
		{"emoji with a skin colour", "🏃🏽\u200d♀\ufe0f", ""},
		{"emoji that shakes its head", "🙂\u200d↔\ufe0f", ""},
		{"heart on fire", "❤\ufe0f\u200d🔥", ""},
		{"key cap", "1\ufe0f\u20e3", ""},
		{"Mongolian variant", "ᠠ\u180b", ""},
		{"accent", "chute a\u0300", ""},

		{"zero-width space alone", "\u200b", "label has a character in it that is not shown: U+200B"},
		{"zero-width space", "fal\u200bl", "U+200B"},
		{"at the end", "fall\u200b", "U+200B"},
		{"non-joiner in Latin", "fa\u200cll", "U+200C"},
		{"joiner in Latin", "fa\u200dll", "U+200D"},
		{"non-joiner between words", "می \u200cدود", "U+200C"},
		{"two non-joiners", "می\u200c\u200cدود", "U+200C"},
		{"joiner after an emoji", "👩\u200d", "U+200D"},
		{"word joiner", "a\u2060b", "U+2060"},
		{"byte order mark", "a\ufeffb", "U+FEFF"},
		{"soft hyphen", "a\u00adb", "U+00AD"},
		{"Hangul filler", "\u3164", "U+3164"},
		{"Braille blank", "\u2800", "U+2800"},
		{"tag", "a\U000e0061", "U+E0061"},
		{"line separator", "a\u2028b", "U+2028"},
		{"invisible times", "a\u2062b", "U+2062"},
		{"variation selector alone", "\ufe0f", "U+FE0F"},
		{"two variation selectors", "a\ufe0f\ufe0e", "U+FE0E"},
		{"direction mark alone", "\u200e", "label has only characters that are not shown"},
	} {
		_, err := ParseLabel(c.text, "")
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	for _, value := range []string{"wo\u200brds", `{"aliases":["\u200b"]}`, `{"tags":["\u200e"]}`} {
		if _, err := ParseLabel("fall", value); err == nil || !strings.Contains(err.Error(), "not shown") {
			t.Errorf("value %q: %v", value, err)
		}
	}
}

// Nobody could tell which of them an alert is about.
func TestLabelsThatLookTheSameAreDuplicates(t *testing.T) {
	const blank = " " + "fall"
	v, err := parse("default", map[string]string{
		"fall": "", "fall\u200e": "", blank: "", "می\u200cدود": "", "میدود": "", "falls": "", "❤\ufe0f": "", "❤": "", "\u200ezebra": "", "b": "",
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range v.Labels {
		names = append(names, l.Name)
	}
	if want := []string{"b", "fall", "falls", "میدود", "\u200ezebra", "❤"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	why := map[string]string{}
	for _, p := range v.Problems {
		why[p.Label] = p.Err.Error()
	}
	for label, want := range map[string]string{
		"fall\u200e": "only by characters that are not shown", blank: "only by white space",
		"می\u200cدود": "only by characters that are not shown", "❤\ufe0f": "only by characters that are not shown",
	} {
		if !strings.Contains(why[label], want) {
			t.Errorf("%q: got %q, want %q", label, why[label], want)
		}
	}
	if len(v.Problems) != 4 {
		t.Errorf("problems %q", v.Problems)
	}
}
