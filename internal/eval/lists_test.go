package eval

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// listCase is a data set's annotations, in files below a folder.
type listCase struct {
	name   string
	files  map[string]string
	source string
	format string
	want   []string // path below the folder, a space, the class
}

func listCases() []listCase {
	return []listCase{
		{"FROSTER", map[string]string{
			"val.csv":      "brush_hair/A_[_NEW]_!!(x)_#_2.avi,0\ncartwheel/B.avi,1\r\n\n",
			"classes.json": `{"1": "Cartwheel: A person is doing a cartwheel", "0": "Brush hair: A person is using a brush"}`,
		}, "val.csv", "", []string{"brush_hair/A_[_NEW]_!!(x)_#_2.avi 0", "cartwheel/B.avi 1"}},
		{"SlowFast with frames", map[string]string{"l.csv": "a b/c.mp4,300,1\n", "classes.txt": "x\ny\n"}, "l.csv", "", []string{"a b/c.mp4 1"}},
		{"commas in the path", map[string]string{"l.csv": "a,b,c.mp4,1\n", "classes.txt": "x\ny\n"}, "l.csv", "", []string{"a,b,c.mp4 1"}},
		{"spaces and names", map[string]string{"l.txt": "\ufeffmy clip.mp4 falling_down\nup/../b.mp4\t1\n  c.mp4   0  \n", "classes.txt": "walking\nFalling down: a person falls\n"}, "l.txt", "",
			[]string{"my clip.mp4 1", "b.mp4 1", "c.mp4 0"}},
		{"wordings", map[string]string{"l.txt": "a.mp4 walk\n", "classes.txt": "stand\nwalk | going on foot: a person walks\n"}, "l.txt", "", []string{"a.mp4 1"}},
		{"Kinetics", map[string]string{
			"validate.csv": "label,youtube_id,time_start,time_end,split\n\"petting animal (not cat)\",-3B32lodo2M,59,69,val\nabseiling,0wR5jVB-WPk,417.0,427.0,val\n",
			"classes.txt":  "abseiling\npetting animal (not cat)\n",
		}, "validate.csv", "", []string{"petting_animal_(not_cat)/-3B32lodo2M_000059_000069.mp4 1", "abseiling/0wR5jVB-WPk_000417_000427.mp4 0"}},
		{"UCF101", map[string]string{
			"testlist01.txt": "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\nArchery/v_Archery_g01_c01.avi 2\n",
			"classes.txt":    "Apply Eye Makeup: A person applies makeup\nArchery\n",
		}, "testlist01.txt", UCF, []string{"ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi 0", "Archery/v_Archery_g01_c01.avi 1"}},
		{"HMDB51", map[string]string{
			"s/brush_hair_test_split1.txt":   "a_#_1.avi 2 \nb.avi 1 \nc.avi 0 \n",
			"s/climb_stairs_test_split1.txt": "d e.avi 2 \n",
			"s/classes.txt":                  "brush hair\nclimb stairs\n",
		}, "s/*_test_split1.txt#2", HMDB, nil},
		{"SSv2", map[string]string{
			"validation.json": `[{"id": "74225", "label": "spinning cube", "template": "Spinning [something] quickly", "placeholders": ["cube"]}, {"id": 7, "template": "Opening [something]"}]`,
			"labels.json":     `{"Opening something": "1", "Spinning something quickly": "0"}`,
		}, "validation.json", SSv2, []string{"74225.webm 0", "7.webm 1"}},
		{"folders", map[string]string{"f/falling_down/b.mp4": "", "f/falling_down/a.MP4": "", "f/0/deep/c.webm": "", "f/0/notes.txt": "", "f/none/readme": ""}, "f", "",
			[]string{"f/0/deep/c.webm 0", "f/falling_down/a.MP4 1", "f/falling_down/b.mp4 1"}},
	}
}

func (c listCase) read(t *testing.T) (dir string, s Source, got []string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range c.files {
		write(t, filepath.Join(dir, name), content)
	}
	s = Source{Path: filepath.Join(dir, c.source), Format: c.format}
	for _, name := range []string{"classes.json", "labels.json"} {
		if _, ok := c.files[name]; ok {
			s.Classes = filepath.Join(dir, name)
		}
	}
	l, err := ReadList(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range l.Videos {
		rel, err := filepath.Rel(dir, v.Path)
		if err != nil || v.Where == "" {
			t.Errorf("%+v: %v", v, err)
		}
		got = append(got, rel+" "+string(rune('0'+v.Label)))
	}
	return dir, s, got
}

func TestListsOfDataSetsAreRead(t *testing.T) {
	for _, c := range listCases() {
		t.Run(c.name, func(t *testing.T) {
			_, _, got := c.read(t)
			want := c.want
			if c.name == "HMDB51" {
				want = []string{"s/brush_hair/a_#_1.avi 0", "s/climb_stairs/d e.avi 1"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// What a model is trained on and what it is measured on is read alike. Patterns
// of files are ours alone.
func TestListsAreReadAsTheTrainerReadsThem(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		shared.Missing(t, "python3")
	}
	script := `import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("lists", sys.argv[1])
lists = importlib.util.module_from_spec(spec); sys.modules["lists"] = lists; spec.loader.exec_module(lists)
found = lists.read(sys.argv[2], format=sys.argv[3], classes=sys.argv[4])
print(json.dumps({"clips": [[str(c.path), c.label] for c in found.clips], "classes": found.classes}))`
	for _, c := range listCases() {
		if strings.Contains(c.source, "*") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			_, s, _ := c.read(t)
			ours, err := ReadList(s)
			if err != nil {
				t.Fatal(err)
			}
			format := s.Format
			if format == "" {
				format = Auto
			}
			cmd := exec.Command(python, "-c", script, filepath.Join(shared.Root(t), "train", "froster", "lists.py"), s.Path, format, s.Classes)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, cmd.Stderr)
			}
			var theirs struct {
				Clips   [][2]any `json:"clips"`
				Classes []Class  `json:"classes"`
			}
			if err := json.Unmarshal(out, &theirs); err != nil {
				t.Fatal(err)
			}
			if len(theirs.Clips) != len(ours.Videos) || len(theirs.Classes) != len(ours.Classes) {
				t.Fatalf("%d clips of %d classes, the trainer reads %d of %d", len(ours.Videos), len(ours.Classes), len(theirs.Clips), len(theirs.Classes))
			}
			for i, v := range ours.Videos {
				if theirs.Clips[i][0] != v.Path || theirs.Clips[i][1] != float64(v.Label) {
					t.Errorf("%s %d, the trainer reads %v", v.Path, v.Label, theirs.Clips[i])
				}
			}
			for i, class := range ours.Classes {
				if !slices.Equal(class, theirs.Classes[i]) {
					t.Errorf("class %q, the trainer reads %q", class, theirs.Classes[i])
				}
			}
		})
	}
}

func TestBadListsSayWhere(t *testing.T) {
	dir := t.TempDir()
	classes := write(t, filepath.Join(dir, "classes.txt"), "walking\nfalling\n")
	for _, c := range []struct{ name, content, want string }{
		{"up.txt", "a.mp4 0\n../../etc/passwd 1\n", `up.txt:2: "../../etc/passwd" leads out of`},
		{"absolute.txt", "/etc/passwd 1\n", `absolute.txt:1: "/etc/passwd" leads out of`},
		{"itself.txt", "a/.. 1\n", "itself.txt:1: "},
		{"nul.txt", "a\x00.mp4 1\n", "nul.txt:1: no path"},
		{"many.txt", "a.mp4 2\n", "many.txt:1: label 2, but there are 2 classes"},
		{"huge.txt", "a.mp4 99999999999999999999999\n", "huge.txt:1: label 99999999999999999999, but"},
		{"minus.txt", "a.mp4 -1\n", `minus.txt:1: "-1" is not among`},
		{"unknown.txt", "\n\na.mp4 flying\n", `unknown.txt:3: "flying" is not among the 2 classes`},
		{"bare.txt", "a.mp4\n", "bare.txt:1: want `path label`"},
		{"empty.txt", "\n \n", "there is no clip in it"},
		{"latin1.txt", "a.mp4 0\nn\xe4chste.mp4 0\n", "latin1.txt:2: not UTF-8"},
		{"k.csv", "label,youtube_id,time_start\n", "no column time_end"},
		{"k2.csv", "label,youtube_id,time_start,time_end\nwalking,x,1,2\nwalking,x,NaN,2\n", "k2.csv:3: time"},
		{"k3.csv", "label,youtube_id,time_start,time_end\nwalking,x\n", "k3.csv:2: want label"},
		{"s.json", `[{"id": "../x", "template": "walking"}]`, "s.json: want a list"},
		{"s2.json", `[{"id": 1.5, "template": "walking"}]`, "s2.json: entry 0: want id"},
		{"s3.json", `{"id": 1`, "s3.json: want a list"},
	} {
		path := write(t, filepath.Join(dir, c.name), c.content)
		if _, err := ReadList(Source{Path: path, Classes: classes}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for want, s := range map[string]Source{
		"no such file": {Path: filepath.Join(dir, "absent.txt"), Classes: classes}, "want auto, list": {Path: classes, Format: "csv"},
		"after # want 1": {Path: filepath.Join(dir, "x_test_split1.txt#3"), Classes: classes}, "no folder with clips": {Path: t.TempDir()},
	} {
		if _, err := ReadList(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	for content, want := range map[string]string{
		"": "there is no class", "a\nb\na\n": `classes 0 and 2 are both "a"`, strings.Repeat("x", 5000): "class 0 is of 5000 bytes",
	} {
		path := write(t, filepath.Join(dir, "c.txt"), content)
		if _, err := ReadClasses(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("classes %.20q: %v, want %q", content, err, want)
		}
	}
	for content, want := range map[string]string{
		`{"0": "a", "2": "b"}`: "without gaps", `{"0": "a", "00": "b"}`: "without gaps", `["a"]`: "want an object", `{"a": "x"}`: "want a number", `{"0": 7}`: "want a number and a text", `{"0": " | "}`: "class 0 has no text", "{}": "there is no class",
	} {
		path := write(t, filepath.Join(dir, "c.json"), content)
		if _, err := ReadClasses(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("classes %s: %v, want %q", content, err, want)
		}
	}
	// UCF101's own class list.
	got, err := ReadClasses(write(t, filepath.Join(dir, "classInd.txt"), "1 ApplyEyeMakeup\n2 Archery\n"))
	if err != nil || len(got) != 2 || got[1][0] != "Archery" {
		t.Errorf("%q: %v", got, err)
	}
}

func FuzzLists(f *testing.F) {
	for _, c := range listCases() {
		for name, content := range c.files {
			f.Add(content, "walking\nfalling\n", filepath.Ext(name) == ".json")
		}
	}
	f.Add("../x 0\n/y 0\n", `{"0": "a"}`, true)
	f.Fuzz(func(t *testing.T, list, classes string, object bool) {
		dir := t.TempDir()
		name := "classes.txt"
		if object {
			name = "classes.json"
		}
		write(t, filepath.Join(dir, name), classes)
		for _, format := range []string{List, Kinetics, UCF, HMDB, SSv2} {
			path := write(t, filepath.Join(dir, "x_test_split1.txt"), list)
			l, err := ReadList(Source{Path: path, Format: format, Classes: filepath.Join(dir, name)})
			if err != nil {
				if !strings.HasPrefix(err.Error(), "read ") {
					t.Errorf("%v", err)
				}
				continue
			}
			for _, v := range l.Videos {
				if !strings.HasPrefix(v.Path, dir+string(os.PathSeparator)) || v.Label < 0 || v.Label >= len(l.Classes) || v.Where == "" {
					t.Fatalf("%+v of %d classes, below %s", v, len(l.Classes), dir)
				}
			}
		}
	})
}
