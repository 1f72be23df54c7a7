package commands

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Labels go to the vocabulary of the cameras that a rule names, and commands about the
// past look them up there.
func TestCommandsUseTheVocabularyOfTheCameras(t *testing.T) {
	s := serve(t, fakeModel{}, "walking", "")
	f, err := os.OpenFile(s.file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("vocab: {sets: [{name: logistics, camera_tags: [store]}]}\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		out, ok := s.run(t, args...)
		if !ok {
			t.Fatalf("%q: %s", args, out)
		}
		return out
	}
	holds(t, run("camera", "add", "ward-1", "rtsp://10.0.0.7/s", "--vocab", "hospital"), "vocabulary hospital", "warning: camera ward-1: the vocabulary hospital has no labels yet")
	run("camera", "add", "depot", "rtsp://10.0.0.8/s", "--tag", "store")
	run("camera", "add", "lobby", "rtsp://10.0.0.9/s")
	holds(t, run("watch", "washing hands", "--camera", "ward-*"), `label "washing hands" of the vocabulary hospital added`, "watches 1 of 3 cameras: ward-1")
	holds(t, run("watch", "waving"), `label "waving" added`, `label "waving" of the vocabulary hospital added`, `label "waving" of the vocabulary logistics added`)
	holds(t, run("watch", "reversing", "--vocab", "logistics", "--name", "reverse"), `label "reversing" of the vocabulary logistics added`)
	for name, want := range map[string][]string{"default": {"walking", "waving"}, "hospital": {"washing hands", "waving"}, "logistics": {"reversing", "waving"}} {
		got := s.redis.Client.HKeys(t.Context(), "f:vocab:"+name).Val()
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	holds(t, run("rule", "add", "hands", "--action", "washing hand", "--camera", "ward-*"), `the vocabulary hospital has no label "washing hand" (there is "washing hands")`)
	if out := run("rule", "ls"); strings.Count(out, "without full effect") > 1 || !strings.Contains(out, "hands") {
		t.Errorf("rules: %s", out)
	}
	holds(t, run("vocab", "ls", "--vocab", "hospital"), "vocabulary hospital, version", "washing hands")
	holds(t, run("vocab", "ls", "--vocabulary", "hospital"), "vocabulary hospital, version")
	holds(t, run("vocab", "ls"), "other vocabularies: hospital, logistics")
	run("rule", "rm", "hands")
	holds(t, run("watch", "--undo", "waving"), `label "waving" removed`, `label "waving" of the vocabulary hospital removed`, `label "waving" of the vocabulary logistics removed`)
	s.redis.HSet(t, "f:vocab:hospital", "washing hands", "at a basin")
	s.show(t, "ward-1", time.Now().Add(-time.Minute), times(5, "washing hands: at a basin")...)
	s.show(t, "lobby", time.Now().Add(-time.Minute), times(5, "washing hands: at a basin")...)
	holds(t, run("vocab", "try", "washing hands", "--camera", "ward-*", "--json"), "washing hands: at a basin")
	if out := run("vocab", "try", "washing hands", "--camera", "lobby", "--json"); strings.Contains(out, "at a basin") {
		t.Errorf("the lobby has the label of the hospital: %s", out)
	}
	holds(t, run("vocab", "try", "washing hands", "--camera", "ward-*", "--camera", "lobby"), "these cameras use the vocabularies default, hospital")
	// A rule on every camera would have raised where the label is in the vocabulary.
	run("rule", "add", "everywhere", "--action", "washing hands", "--contrast", "0.3")
	run("rule", "add", "nowhere", "--action", "washing hands", "--camera", "nosuch")
	if out := run("alerts", "backtest", "--since", "1h"); !regexp.MustCompile(`everywhere +ward-1`).MatchString(out) || !strings.Contains(out, "no camera is watched by: nowhere\n") || strings.Contains(out, "lobby") {
		t.Errorf("the rule would have raised: %s", out)
	}
}
