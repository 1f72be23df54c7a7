package eval

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	separatedNumber = regexp.MustCompile(`[,\t]\s*\d+$`)
	separator       = regexp.MustCompile(`[,\t]`)
	lastSpace       = regexp.MustCompile(`\s+(\S+)$`)
)

// pathLabel reads lists as FROSTER, SlowFast and most others have them. The
// label may be a class' number or, after a space, its name in one word.
func pathLabel(path string) ([]entry, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	var out []entry
	for l := range textLines(text) {
		where := fmt.Sprintf("%s:%d", path, l.number)
		var parts []string
		if separatedNumber.MatchString(l.text) {
			parts = separator.Split(l.text, -1)
		} else if at := lastSpace.FindStringSubmatchIndex(l.text); at != nil {
			parts = []string{l.text[:at[0]], l.text[at[2]:at[3]]}
		} else {
			return nil, fmt.Errorf("%s: want `path label`", where)
		}
		video := parts[0]
		if len(parts) > 3 { // the path itself has commas
			video = strings.Join(parts[:len(parts)-1], ",")
		}
		out = append(out, entry{video, strings.TrimSpace(parts[len(parts)-1]), where})
	}
	return out, nil
}

// kinetics reads the published CSV of label, youtube_id, time_start and
// time_end; files are named as the common downloaders do.
func kinetics(path string) ([]entry, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var columns [4]int
	for i, name := range []string{"label", "youtube_id", "time_start", "time_end"} {
		if columns[i] = slices.Index(header, name); columns[i] < 0 {
			return nil, fmt.Errorf("%s: no column %s: want label, youtube_id, time_start and time_end", path, name)
		}
	}
	var out []entry
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		e, err := kineticsRow(row, columns)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		e.where = fmt.Sprintf("%s:%d", path, line)
		out = append(out, e)
	}
}

func kineticsRow(row []string, columns [4]int) (entry, error) {
	var field [4]string
	for i, c := range columns {
		if c >= len(row) {
			return entry{}, errors.New("want label, youtube_id, time_start and time_end")
		}
		field[i] = row[c]
	}
	var times [2]int
	for i, text := range field[2:] {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v >= 0 && v < math.MaxInt32) {
			return entry{}, fmt.Errorf("time %.40q: want seconds", text)
		}
		times[i] = int(v)
	}
	name := fmt.Sprintf("%s/%s_%06d_%06d.mp4", strings.ReplaceAll(field[0], " ", "_"), field[1], times[0], times[1])
	return entry{path: name, label: field[0]}, nil
}

// ucf reads testlist01.txt: the class is the folder, and what stands after the
// path says the same.
func ucf(path string) ([]entry, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	var out []entry
	for l := range textLines(text) {
		video := strings.Fields(l.text)[0]
		class, _, _ := strings.Cut(video, "/")
		out = append(out, entry{video, class, fmt.Sprintf("%s:%d", path, l.number)})
	}
	return out, nil
}

var hmdbSplit = regexp.MustCompile(`_test_split\d+$`)

// hmdb reads ACTION_test_splitN.txt, one of them, a folder's or a pattern's,
// with `clip.avi 2`: 1 is for training, 2 for testing, 0 unused.
func hmdb(path string) ([]entry, error) {
	name, use, _ := strings.Cut(path, "#")
	switch use {
	case "":
		use = "2"
	case "1", "2":
	default:
		return nil, fmt.Errorf("%s: after # want 1 for training or 2 for testing", path)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, "*_test_split*.txt")
	}
	files, err := filepath.Glob(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no such file", name)
	}
	slices.Sort(files)
	var out []entry
	for _, file := range files {
		text, err := readText(file)
		if err != nil {
			return nil, err
		}
		action := hmdbSplit.ReplaceAllString(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), "")
		for l := range textLines(text) {
			if at := strings.LastIndexByte(l.text, ' '); at > 0 && l.text[at+1:] == use {
				out = append(out, entry{action + "/" + strings.TrimSpace(l.text[:at]), action, fmt.Sprintf("%s:%d", file, l.number)})
			}
		}
	}
	return out, nil
}

// ssv2 reads Something-Something v2's JSON, whose clips are ID.webm and whose
// class is the template without its brackets.
func ssv2(path string) ([]entry, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	var clips []struct {
		ID       json.Number `json:"id"`
		Template *string     `json:"template"`
	}
	if err := json.Unmarshal([]byte(text), &clips); err != nil {
		return nil, fmt.Errorf("%s: want a list of objects with id and template: %w", path, err)
	}
	var out []entry
	for i, c := range clips {
		where := fmt.Sprintf("%s: entry %d", path, i)
		if !isNumber(c.ID.String()) || c.Template == nil {
			return nil, fmt.Errorf("%s: want id, a number, and template", where)
		}
		out = append(out, entry{c.ID.String() + ".webm", strings.NewReplacer("[", "", "]", "").Replace(*c.Template), where})
	}
	return out, nil
}

func videoSuffixes() []string {
	return []string{".mp4", ".mkv", ".avi", ".mov", ".webm", ".mpg", ".mpeg", ".ts", ".m4v", ".flv", ".wmv", ".3gp"}
}

// folders reads root/label/clip.mp4. Without a class list each folder that has
// clips is a class.
func folders(s Source) ([]Class, []entry, error) {
	found, err := os.ReadDir(s.Path)
	if err != nil {
		return nil, nil, err
	}
	var out []entry
	var texts []string
	for _, d := range found {
		if !d.IsDir() {
			continue
		}
		dir, before := filepath.Join(s.Path, d.Name()), len(out)
		err := filepath.WalkDir(dir, func(path string, f fs.DirEntry, err error) error {
			if err != nil || f.IsDir() || !slices.Contains(videoSuffixes(), strings.ToLower(filepath.Ext(path))) {
				return err
			}
			rel, err := filepath.Rel(s.Path, path)
			label := d.Name()
			if s.Classes == "" {
				label = strconv.Itoa(len(texts)) // a folder may be called by a number
			}
			out = append(out, entry{rel, label, path})
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if len(out) > before {
			texts = append(texts, strings.ReplaceAll(d.Name(), "_", " "))
		}
	}
	if s.Classes != "" {
		classes, err := ReadClasses(s.Classes)
		return classes, out, err
	}
	if len(texts) == 0 {
		return nil, nil, fmt.Errorf("%s: there is no folder with clips in it", s.Path)
	}
	classes, err := splitClasses(texts)
	return classes, out, err
}
