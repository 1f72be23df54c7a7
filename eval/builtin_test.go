package eval

import (
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/vocab"
)

func TestBuiltInClassLists(t *testing.T) {
	lists := map[string][]string{}
	for name, want := range map[string]struct {
		classes     int
		first, last string
	}{
		"kinetics-400": {400, "abseiling", "zumba"},
		"Kinetics-600": {600, "abseiling", "zumba"},
		"kinetics-700": {700, "abseiling", "zumba"},
		"ucf101":       {101, "apply eye makeup", "yo yo"},
		"hmdb51":       {51, "brush hair", "wave"},
		"ssv2":         {174, "Approaching something with your camera", "Wiping something off of something"},
	} {
		list, err := BuiltInClasses(name)
		if err != nil || len(list) != want.classes || list[0] != want.first || list[len(list)-1] != want.last {
			t.Errorf("%s: %d classes, %v", name, len(list), err)
		}
		lists[name] = list
		spelt := map[string]bool{}
		for _, class := range list {
			if l, err := vocab.ParseLabel(class, ""); err != nil || l.Name != class || spelt[vocab.Spelling(class)] {
				t.Errorf("%s: %q, %v", name, class, err)
			}
			spelt[vocab.Spelling(class)] = true
		}
	}
	// Kinetics-600 kept 368 classes of Kinetics-400, says its paper.
	kept := 0
	for _, class := range lists["kinetics-400"] {
		if slices.Contains(lists["Kinetics-600"], class) {
			kept++
		}
	}
	if kept != 368 {
		t.Errorf("%d classes are in both lists of Kinetics", kept)
	}
	if _, err := BuiltInClasses("kinetics-70"); err == nil {
		t.Error("a list that is not there")
	}
}
