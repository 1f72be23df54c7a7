package vocab

import "testing"

func TestTheLabelThatWasMeant(t *testing.T) {
	labels := []string{"person falling down", "person lying", "fall", "Two people fighting"}
	for text, want := range map[string]string{
		"person falling":        "person falling down",
		"person":                "person lying", // of those that begin so, the nearest
		"persn faling down":     "person falling down",
		" two  people fighting": "Two people fighting",
		"FALL":                  "fall",
		"dog barking":           "",
		"fa":                    "fall",
		"x":                     "",
	} {
		if got := Nearest(text, labels); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := Nearest("fall", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}
