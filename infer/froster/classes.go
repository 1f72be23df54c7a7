package froster

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// kinetics400 holds the 400 classes of Kay et al. 2017 (arXiv:1705.06950), on
// which FROSTER's and Open-VCLIP's published checkpoints were fine-tuned.
//
//go:embed kinetics400.txt
var kinetics400 string

// Kinetics400 is the name of the built-in list of base classes.
const Kinetics400 = "kinetics-400"

const (
	maxClasses   = 10_000
	maxClassText = 1 << 10 // bytes
)

// Kinetics400Classes is the built-in list of base classes.
func Kinetics400Classes() []string { return strings.Split(strings.TrimSpace(kinetics400), "\n") }

// baseClasses returns the built-in list of that name, or the classes in a file
// of that name, one on each line.
func baseClasses(nameOrFile string) ([]string, error) {
	if nameOrFile == Kinetics400 {
		return Kinetics400Classes(), nil
	}
	f, err := os.Open(nameOrFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("base classes %q: neither a file nor a built-in list (%s)", nameOrFile, Kinetics400)
	}
	if err != nil {
		return nil, fmt.Errorf("read base classes: %w", err)
	}
	defer func() { _ = f.Close() }()
	var out []string
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, maxClassText)
	for scan.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(scan.Text(), "\ufeff"))
		switch {
		case line == "" || slices.Contains(out, line):
			continue
		case !utf8.ValidString(line):
			return nil, fmt.Errorf("read base classes %s: class %d is not UTF-8", nameOrFile, len(out)+1)
		case len(out) == maxClasses:
			return nil, fmt.Errorf("read base classes %s: more than %d classes", nameOrFile, maxClasses)
		}
		out = append(out, line)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read base classes %s: class %d: %w", nameOrFile, len(out)+1, err)
	}
	return out, nil
}
