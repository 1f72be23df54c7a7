package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"time"
)

// staged is an event that was staged before a camera.
type staged struct {
	camera, label string
	start, end    time.Time // of the first and the last window that show some of it
}

// readStaged reads a table of staged events: camera, label, start, end.
func readStaged(path string) (out []staged, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		if len(row) != 4 {
			return nil, fmt.Errorf("%s, line %d: want camera, label, start, end", path, i+1)
		}
		s := staged{camera: row[0], label: row[1]}
		for at, to := range map[int]*time.Time{2: &s.start, 3: &s.end} {
			if *to, err = time.Parse(time.RFC3339, row[at]); err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
			}
		}
		out = append(out, s)
	}
	return out, nil
}
