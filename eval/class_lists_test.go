package eval

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
)

func TestClassListsAreReadAndTheTrainerReadsTheSame(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          []string
	}{
		{"plain", "falling\n\n walking \n", []string{"falling", "walking"}},
		{"Kinetics", "id,name\n0,abseiling\n1,air drumming\n2,\"answering, \"\"questions\"\"\"\n", []string{"abseiling", "air drumming", `answering, "questions"`}},
		{"another header", "index\tlabel\n0\tfalling\n1\tsitting down\n", []string{"falling", "sitting down"}},
		{"no header", "falling, hard\n1 person walking\n2 people walking\n", []string{"falling, hard", "1 person walking", "2 people walking"}},
		{"from 0", "0 falling\n1 sitting down\n", []string{"falling", "sitting down"}},
		{"from 1 with tabs", "1\tfalling\n2\tsitting down\n", []string{"falling", "sitting down"}},
		{"UCF101", "1 ApplyEyeMakeup\n2 Archery\n3 YoYo\n", []string{"Apply Eye Makeup", "Archery", "Yo Yo"}},
		{"capitals of one's own", "iPhone theft\nMcDonalds\n", []string{"iPhone theft", "McDonalds"}},
		{"some begin with a number", "2 people hugging\nfalling\n", []string{"2 people hugging", "falling"}},
		{"JSON by another name", ` {"0": "falling", "1": "walking"}`, []string{"falling", "walking"}},
		{"templates", "[Something] falling\nOpening [something]\n", []string{"[Something] falling", "Opening [something]"}},
		{"a mark at the end", "falling |\nwalking\n", []string{"falling", "walking"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "classes.txt"), c.content)
			got, err := ReadClasses(path)
			if err != nil {
				t.Fatal(err)
			}
			var theirs []Class
			if err := json.Unmarshal(trainer(t, `print(json.dumps(class_lists.read_classes(Path(sys.argv[2]))))`, path), &theirs); err != nil {
				t.Fatal(err)
			}
			for _, classes := range [][]Class{got, theirs} {
				var texts []string
				for _, class := range classes {
					texts = append(texts, class...)
				}
				if !slices.Equal(texts, c.want) {
					t.Errorf("%q, want %q; the trainer reads %q", got, c.want, theirs)
				}
			}
		})
	}
}
