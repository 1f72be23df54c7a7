package eval

import (
	"cmp"
	"encoding/json"
	"errors"
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
		{"names of several words", map[string]string{
			"l.csv":       "a.mp4,person falling down\nb.mp4,person_falling_down\nc d.mp4\tPerson falling down\ne f.mp4 running\ng, h.mp4,90,in a line, running\n",
			"classes.txt": "running\nperson falling down\nin a line, running\n",
		}, "l.csv", "", []string{"a.mp4 1", "b.mp4 1", "c d.mp4 1", "e f.mp4 0", "g, h.mp4 2"}},
		{"pandas", map[string]string{
			"l.csv":       "\"with space, comma.mp4\",0\nwith space, comma.mp4,1\nb.mp4,75,1\nin, it.mp4,75,\"fall, hard\"\n\"a \"\"b\"\", c.mp4\",75,0\na \"b\".mp4,1\nc \"d\".mp4,fall, hard\n",
			"classes.txt": "run\nfall, hard\n",
		}, "l.csv", "", []string{"with space, comma.mp4 0", "with space, comma.mp4 1", "b.mp4 1", "in, it.mp4 1", `a "b", c.mp4 0`, `a "b".mp4 1`, `c "d".mp4 1`}},
		{"a comma before the space", map[string]string{"l.txt": "a,b.mp4 1\na, b.mp4 running\n", "classes.txt": "running\nfalling\n"}, "l.txt", "",
			[]string{"a,b.mp4 1", "a, b.mp4 0"}},
		{"mmaction with frames", map[string]string{"l.txt": "a b.mp4 300 1\nc.mp4 75 running\nclips/take 7 0\n", "classes.txt": "running\nfalling\n"}, "l.txt", "",
			[]string{"a b.mp4 1", "c.mp4 0", "clips/take 7 0"}},
		{"an old Mac's lines", map[string]string{"l.txt": "a.mp4 0\rb.mp4 1\r", "classes.txt": "running\rfalling\r"}, "l.txt", "", []string{"a.mp4 0", "b.mp4 1"}},
		// The second name of café is written with a mark of its own.
		{"names of any script", map[string]string{
			"l.txt":       "a.mp4\t泳ぐ\nb.mp4\tC\nc.mp4\tc++\nd.mp4\tc#\ne.mp4\tSTRASSE\nf.mp4\tcafe\u0301\ng.mp4\tचलना\n",
			"classes.txt": "走る\n泳ぐ\nC++\nC\nC#\nstraße\nCafé\nचलना\nचलन\n",
		}, "l.txt", "", []string{"a.mp4 1", "b.mp4 3", "c.mp4 2", "d.mp4 4", "e.mp4 5", "f.mp4 6", "g.mp4 7"}},
		{"an export", map[string]string{
			"set/val.txt": "clips/lobby/2.avi 1\n", "set/classes.txt": "falling\nwalking\n", "set/clips/lobby/2.avi": "",
		}, "set/val.txt", "", []string{"set/clips/lobby/2.avi 1"}},
		{"folders", map[string]string{"f/falling_down/b.mp4": "", "f/falling_down/a.MP4": "", "f/0/deep/c.webm": "", "f/0/notes.txt": "", "f/none/readme": "",
			"f/0/.trash/d.mp4": "", "f/0/._c.webm": "", "f/.cache/e.mp4": "", "f/@eaDir/g.mp4": "", "f/0/f.HEVC": "", "f/0/g.m2ts": ""}, "f", "",
			[]string{"f/0/deep/c.webm 0", "f/0/f.HEVC 0", "f/0/g.m2ts 0", "f/falling_down/a.MP4 1", "f/falling_down/b.mp4 1"}},
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

// What a model is trained on and what it is measured on is read alike.
func TestListsAreReadAsTheTrainerReadsThem(t *testing.T) {
	for _, c := range listCases() {
		t.Run(c.name, func(t *testing.T) {
			_, s, _ := c.read(t)
			sameAsTrainer(t, s)
		})
	}
}

// sameAsTrainer reads a list here and by the trainer's code.
func sameAsTrainer(t *testing.T, s Source) {
	t.Helper()
	ours, err := ReadList(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Format = cmp.Or(s.Format, Auto)
	var theirs struct {
		Clips   [][2]any `json:"clips"`
		Classes []Class  `json:"classes"`
	}
	if err := json.Unmarshal(trainer(t, `found = lists.read(sys.argv[2], format=sys.argv[3], classes=sys.argv[4])
print(json.dumps({"clips": [[str(c.path), c.label] for c in found.clips], "classes": found.classes}))`, s.Path, s.Format, s.Classes), &theirs); err != nil {
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
}

// trainer runs Python with the trainer's readers of lists loaded and gives what it
// prints.
func trainer(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		shared.Missing(t, "python3")
	}
	load := "import json, sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[1])\nfrom froster import class_lists, lists\n"
	cmd := exec.Command(python, append([]string{"-B", "-c", load + script, filepath.Join(shared.Root(t), "train")}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v: %s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	return out
}

func TestBadListsSayWhere(t *testing.T) {
	dir := t.TempDir()
	classes := write(t, filepath.Join(dir, "classes.txt"), "walking\nfalling\n")
	for _, c := range []struct{ name, content, want string }{
		{"up.txt", "a.mp4 0\n../../etc/passwd 1\n", `up.txt:2: "../../etc/passwd" leads out of`},
		{"absolute.txt", "/etc/passwd 1\n", `absolute.txt:1: "/etc/passwd" leads out of`},
		{"itself.txt", "a/.. 1\n", "itself.txt:1: "},
		{"nul.txt", "a\x00.mp4 1\n", "nul.txt:1: no path"},
		{"words.csv", "a.mp4,person flying\n", `words.csv:1: "person flying" is not among`},
		{"comma.csv", "a, b.mp4,2\n", "comma.csv:1: label 2, but"},
		{"nothing.csv", "a.mp4,\n", "nothing.csv:1: want `path label`"},
		{"signs.txt", "a.mp4 !\n", `signs.txt:1: "!" is not among`},
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
		"there is one class": {Path: write(t, filepath.Join(dir, "one", "l.txt"), "a.mp4 0\n"), Classes: write(t, filepath.Join(dir, "one.txt"), "falling\n")},
		"no such file":       {Path: filepath.Join(dir, "absent.txt"), Classes: classes}, "want auto, list": {Path: classes, Format: "csv"},
		"after # want 1": {Path: filepath.Join(dir, "x_test_split1.txt#3"), Classes: classes}, "no folder with clips": {Path: t.TempDir()},
	} {
		if _, err := ReadList(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	for content, want := range map[string]string{
		"100 metres\n200 metres\n": "line 1 begins with 100: want the lines numbered from 0 or 1", "0,a\n1,b\n3,c\n": "line 3 begins with 3",
		"id,name\n\n0,a\n2,b\n": "line 4 begins with 2", "1,a\n0,b\n": "line 2 begins with 0", "0,a\n1,\n": "class 1 has no text", `{"0" "a"}`: "want a JSON object", `["a", "b"]`: "want a JSON object",
		"": "it lists no class", "a\nb\na\n": `classes 0 and 2 are both "a"`, "fall: hard\nrun | Fall:  hard\n": `classes 0 and 1 are both "Fall:  hard"`, strings.Repeat("x", 5000): "class 0 has 5000 bytes",
	} {
		path := write(t, filepath.Join(dir, "c.txt"), content)
		if _, err := ReadClasses(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("classes %.20q: %v, want %q", content, err, want)
		}
	}
	for content, want := range map[string]string{
		`{"0": "a", "2": "b"}`: "without gaps", `{"0": "a", "00": "b"}`: "without gaps", `["a"]`: "want a JSON object", `{"a": "x"}`: "want a number", `{"0": 7}`: "want a number and a text", `{"0": " | "}`: "class 0 has no text", "{}": "it lists no class",
	} {
		path := write(t, filepath.Join(dir, "c.json"), content)
		if _, err := ReadClasses(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("classes %s: %v, want %q", content, err, want)
		}
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
