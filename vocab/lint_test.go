package vocab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// english is a Reader that knows a few words, and the pieces of others by their
// length.
func english(words ...string) Reader {
	r := Reader{Words: map[string]int{}}
	for _, w := range words {
		r.Words[w]++
	}
	r.Pieces = func(word string) int {
		if r.Words[word] > 0 {
			return 1
		}
		return 1 + len(word)/4
	}
	return r
}

func TestLint(t *testing.T) {
	r := english("person", "climbing", "fence", "wearing", "helmet", "falling", "down", "over", "with", "room", "walking", "nobody", "running", "carry")
	r.Fits = func(text string) error {
		if len(text) > 100 {
			return fmt.Errorf("%d letters", len(text))
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		label Label
		want  string // column: beginning of the advice; "" none
	}{
		{"nothing", Label{Name: "person climbing over a fence", Aliases: []string{"people falling down"}}, ""},
		{"forms of known words", Label{Name: "persons walked, carried and climbed fences"}, ""},
		{"denied", Label{Name: "person not wearing a helmet"}, `label: "not" is hardly`},
		{"denied in an alias", Label{Name: "person", Aliases: []string{"person isn't falling"}}, `aliases: "isn't" is hardly`},
		{"without", Label{Name: "person", Description: "Without helmet"}, `description: "without" is hardly`},
		{"an empty place", Label{Name: "nobody in the room", Aliases: []string{"no one in the room"}}, ""},
		{"a word that begins so", Label{Name: "person noting"}, ""},
		{"another script", Label{Name: "人が倒れる"}, "label: it has letters of another script (Han)"},
		{"another script beside English", Label{Name: "person", Aliases: []string{"падение"}}, "aliases: it has letters of another script (Cyrillic)"},
		{"another language", Label{Name: "Person klettert hastig darüber"}, "label: most of its words are unknown"},
		{"another language, with a word that is almost English", Label{Name: "Person klettert wolking hastig darüber"}, "label: most of its words are unknown"},
		{"two rare words", Label{Name: "bullfighter pirouettes"}, ""},
		{"misspelt", Label{Name: "person climbign over"}, `label: the model does not know the word "climbign": was "climbing" meant?`},
		{"a letter is missing", Label{Name: "person with hemet", Description: "wering it"}, `label: the model does not know the word "hemet": was "helmet" meant?`},
		{"a name", Label{Name: "person with ZX4000 and ABCDEFGHIJKLM"}, ""},
		{"a strange word", Label{Name: "person abcdefghijklmnop"}, `label: the model does not know the word "abcdefghijklmnop" (it reads 5 pieces of it)`},
		{"too long", Label{Name: "person", Description: strings.Repeat("walking ", 20)}, "description: it is skipped: 168 letters: shorten it"},
		{"too long by an alias", Label{Name: "person", Aliases: []string{strings.Repeat("walking ", 20)}}, "aliases: it is skipped"},
	} {
		var got []string
		for _, a := range Lint([]Label{c.label}, []Label{c.label}, r) {
			if a.Label != c.label.Name {
				t.Errorf("%s: label %q", c.name, a.Label)
			}
			got = append(got, a.Column+": "+a.Text)
		}
		if c.want == "" && len(got) > 0 || c.want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.want) }) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if strings.HasPrefix(c.name, "another language") && len(got) > 1 {
			t.Errorf("%s: the spelling of its words does not matter: %q", c.name, got)
		}
	}
}

func TestLintOfLabelsThatSayTheSame(t *testing.T) {
	all := []Label{{Name: "2 people"}, {Name: "3 people"}, {Name: "falling down"}, {Name: "person falls down"}, {Name: "running"}, {Name: "sprinting", Aliases: []string{"a run"}}, {Name: "Falling  Down"}}
	pairs := func(labels []Label, r Reader) (out []string) {
		for _, a := range Lint(labels, all, r) {
			out = append(out, a.String())
		}
		return out
	}
	got := pairs(all, Reader{})
	if len(got) != 2 || !strings.Contains(got[0], `label "falling down", label: it has the same words as "person falls down"`) {
		t.Errorf("by words: %q", got)
	}
	alike := map[string]float64{"2 people/3 people": 0.9, "running/a run": 0.97, "running/sprinting": 0.9, "falling down/person falls down": 0.7, "Falling  Down/person falls down": 0.8}
	model := Reader{Cosine: func(a, b string) (float64, bool) {
		for _, key := range []string{a + "/" + b, b + "/" + a} {
			if c, ok := alike[key]; ok {
				return c, true
			}
		}
		return 0, true
	}}
	if got := pairs(all, model); len(got) != 1 || !strings.Contains(got[0], `"running", label: to the model it says nearly the same as "sprinting" (cosine 0.97)`) {
		t.Errorf("by the model: %q", got)
	}
	if got := pairs(all[5:6], model); len(got) != 1 || !strings.Contains(got[0], `"sprinting", label: to the model it says nearly the same as "running"`) {
		t.Errorf("of one label: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"fall", "fall", 0}, {"fall", "fal", 1}, {"fall", "flal", 1}, {"climbign", "climbing", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abc", "", 3}} {
		if got := Distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance([]rune(c.b), []rune(c.a)); got != c.want {
			t.Errorf("%q and %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func FuzzLint(f *testing.F) {
	f.Add("person climbign", "not 人")
	r := english("person", "climbing")
	f.Fuzz(func(t *testing.T, name, text string) {
		l := Label{Name: name, Description: text, Aliases: []string{text}}
		for _, a := range Lint([]Label{l}, []Label{l, {Name: text}}, r) {
			if a.Label != name || a.Text == "" {
				t.Errorf("got %+v", a)
			}
		}
	})
}
