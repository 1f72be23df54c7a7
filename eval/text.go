package eval

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"
)

// maxText bounds the size of a list; that of Kinetics-700 has some 30 MB.
const maxText = 256 << 20

// readText reads a list, which must be UTF-8. In the result lines end with \n,
// whatever they end with in the file.
func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return "", err
	}
	if len(raw) > maxText {
		return "", fmt.Errorf("%s: want at most %d MB", path, maxText>>20)
	}
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	if !utf8.Valid(raw) {
		return "", fmt.Errorf("%s:%d: not UTF-8", path, badLine(raw))
	}
	return strings.TrimPrefix(string(raw), "\ufeff"), nil
}

func badLine(raw []byte) int {
	line := 1
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size <= 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		raw = raw[size:]
	}
	return line
}

// line is a line without the white space around it.
type line struct {
	text   string
	number int // from 1
}

// textLines returns the lines that are not blank.
func textLines(text string) iter.Seq[line] {
	return func(yield func(line) bool) {
		number := 0
		for raw := range strings.Lines(text) {
			number++
			if trimmed := strings.TrimSpace(raw); trimmed != "" && !yield(line{trimmed, number}) {
				return
			}
		}
	}
}

var errNoClip = errors.New("there is no clip in it")
