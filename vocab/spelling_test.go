package vocab

import (
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
)

func TestSpellingsOfOneLabel(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"case", "Falling Down", "fALLING dOWN", true},
		{"doubled space", "falling  down", "falling down", true},
		{"space around", "  falling down ", "falling down", true},
		{"tab", "falling\tdown", "falling down", true},
		{"no-break space", "falling\u00a0down", "Falling down", true},
		{"no-break space at the end", "falling down \u00a0", "falling down", true},
		{"wide space", "倒れる\u3000人", "倒れる 人", true},
		{"Greek", "ΠΤΏΣΗ", "πτώση", true},
		{"final sigma", "ΆΝΘΡΩΠΟΣ", "άνθρωπος", true},
		{"sharp s", "STRASSE", "straße", true},
		{"Kelvin", "\u212a", "k", true},
		{"not shown", "fall\u200e", "FALL", true},
		{"accent of its own", "che\u0301", "ch\u00e9", true},
		{"accent after what is equal", "e\u0301", "e", false},
		{"missing space", "fallingdown", "falling down", false},
		{"longer", "falling down", "falling down stairs", false},
		{"empty", "", " ", true},
		{"one empty", "", "a", false},
		{"punctuation", "fall-down", "fall down", false},
	} {
		if got := SameLabel(c.a, c.b); got != c.same {
			t.Errorf("%s: %q and %q are the same: %v", c.name, c.a, c.b, got)
		}
		if got := Spelling(c.a) == Spelling(c.b); got != c.same {
			t.Errorf("%s: spellings %q and %q", c.name, Spelling(c.a), Spelling(c.b))
		}
	}
}

func FuzzSameLabel(f *testing.F) {
	f.Add("Falling  down", "falling\u00a0down")
	f.Add("a\u0301", "á ")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got, want := SameLabel(a, b), Spelling(a) == Spelling(b); got != want || SameLabel(b, a) != want {
			t.Errorf("%q and %q: %v and %v, want %v", a, b, got, SameLabel(b, a), want)
		}
		if strings.EqualFold(a, b) && !SameLabel(a, b) && !strings.ContainsAny(a+b, "\u0130\u0345") {
			t.Errorf("%q and %q differ only by case", a, b)
		}
	})
}

func TestOneSpellingCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries map[string]string
		want    string // the label that counts
		problem string // of the others
	}{
		{"lower case", map[string]string{"FALLING DOWN": "", "falling down": ""}, "falling down", `duplicate of the label "falling down": they differ only by case`},
		{"a value", map[string]string{"FALLING DOWN": `{"tags":["care"]}`, "falling down": " "}, "FALLING DOWN", "only by case"},
		{"single space", map[string]string{"falling  down": "", "falling down": ""}, "falling down", "only by white space"},
		{"plain space", map[string]string{"falling\u00a0down": "", "falling down": ""}, "falling down", "only by white space"},
		{"both", map[string]string{"Falling  Down": "", "falling down": ""}, "falling down", "only by case and white space"},
		{"the one that is not broken", map[string]string{"Fall": "", "fall": "{"}, "Fall", "not valid JSON"},
		{"accents", map[string]string{"ch\u00e9": "", "che\u0301": ""}, "ch\u00e9", "only by how accents are encoded"},
	} {
		v, err := parse("default", c.entries)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Labels) != 1 || v.Labels[0].Name != c.want || len(v.Problems) != 1 || !strings.Contains(v.Problems[0].Err.Error(), c.problem) {
			t.Errorf("%s: got %+v, want %q and the problem %q", c.name, v, c.want, c.problem)
		}
	}
}

// An edit with the wrong case removes the label that is meant, but a duplicate can
// be removed by itself.
func TestRemoveGoesByExactSpellingFirst(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	set(t, s, "fall", "", "FALL", "", "run", "", "walk", "")
	names := func() (out []string) {
		v, err := store.List(ctx, "default")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range v.Labels {
			out = append(out, l.Name)
		}
		for _, p := range v.Problems {
			out = append(out, p.Label)
		}
		return out
	}
	if absent, err := store.Remove(ctx, "default", "FALL", "Run"); err != nil || len(absent) > 0 {
		t.Fatalf("absent %q, %v", absent, err)
	}
	if got := names(); !slices.Equal(got, []string{"fall", "walk"}) {
		t.Errorf("left are %q", got)
	}
}
