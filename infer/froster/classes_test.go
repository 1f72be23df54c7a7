package froster

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBaseClasses(t *testing.T) {
	built, err := baseClasses(Kinetics400)
	if err != nil || len(built) != 400 || len(slices.Compact(slices.Sorted(slices.Values(built)))) != 400 {
		t.Fatalf("%d classes, %v", len(built), err)
	}
	for _, c := range []string{"abseiling", "riding a bike", "tying knot (not on a tie)", "zumba"} {
		if !slices.Contains(built, c) {
			t.Errorf("%q is missing", c)
		}
	}
	dir := t.TempDir()
	own, err := baseClasses(write(t, dir, "own", []byte("\ufefffalling down\r\n\n  waving \nwaving\n")))
	if err != nil || !slices.Equal(own, []string{"falling down", "waving"}) {
		t.Errorf("%q, %v", own, err)
	}
	many := strings.Builder{}
	for i := range maxClasses + 1 {
		many.WriteString(strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune(0x4e00+i)) + "\n")
	}
	for name, c := range map[string]struct{ content, want string }{
		"long": {strings.Repeat("x", maxClassText+1), "too long"}, "binary": {"a\n\xff\xfe", "class 2 is not UTF-8"}, "many": {many.String(), "more than 10000"},
	} {
		if _, err := baseClasses(write(t, dir, name, []byte(c.content))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := baseClasses(filepath.Join(dir, "kinetics-4000")); err == nil || !strings.Contains(err.Error(), Kinetics400) {
		t.Errorf("an unknown name: %v", err)
	}
}
