package eval

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pathLabel reads lists in the form that FROSTER, SlowFast and most others use.
func pathLabel(path string, classes classIndex) ([]entry, error) {
	text, err := readText(path)
	if err != nil {
		return nil, err
	}
	var out []entry
	for l := range textLines(text) {
		where := fmt.Sprintf("%s:%d", path, l.number)
		found, ok := splitLine(l.text, classes)
		if !ok {
			return nil, fmt.Errorf("%s: want `path label`", where)
		}
		out = append(out, entry{found.path, found.label, where})
	}
	return out, nil
}

// kinetics reads the published CSV of label, youtube_id, time_start and
// time_end. Files are expected under the names that the common downloaders give
// them.
func kinetics(path string, _ classIndex) ([]entry, error) {
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

// ucf reads testlist01.txt. The class is the folder; the number that may follow
// the path says the same.
func ucf(path string, _ classIndex) ([]entry, error) {
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

// ssv2 reads Something-Something v2's JSON. A clip is ID.webm, and its class is
// the template without its brackets.
func ssv2(path string, _ classIndex) ([]entry, error) {
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
