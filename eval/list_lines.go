package eval

import (
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
)

var (
	lastWord     = regexp.MustCompile(`^(.*?)\s+(\S+)$`)
	framesBehind = regexp.MustCompile(`^(.*\.[A-Za-z0-9]+)\s+[0-9]+$`)
)

// splitLine splits `path label`, `path,label` and `path,frames,label`, also
// with tabs. Paths and classes' names may contain any of the separators, so the
// first way that leaves a known class counts. After a space the class's name is
// a single word.
func splitLine(text string, classes classIndex) (way, bool) {
	unlabelled := func(w way) bool { return w.label == "" }
	separated := slices.DeleteFunc(slices.Concat(atTab(text), atComma(text, classes.commas)), unlabelled)
	ways := slices.Concat(separated, atSpace(text))
	for _, w := range ways {
		if _, err := classes.number(w.label); err == nil {
			return w, true
		}
	}
	if len(ways) == 0 {
		return way{}, false
	}
	// No way leaves a known class: choose what the error will quote.
	if at := slices.IndexFunc(ways, func(w way) bool { return isNumber(w.label) }); at >= 0 {
		return ways[at], true
	}
	return ways[max(len(separated)-1, 0)], true
}

// way is one way to understand a line.
type way struct{ path, label string }

func atTab(text string) []way { return splitWays(strings.Split(text, "\t"), "\t", 0) }

// atComma accepts quotes as spreadsheets and pandas write them. Without quotes
// the class's name itself may contain up to that many commas.
func atComma(text string, commas int) []way {
	if strings.Contains(text, `"`) {
		if fields, err := csv.NewReader(strings.NewReader(text)).Read(); err == nil && len(fields) > 1 {
			return splitWays(fields, ",", 0)
		}
	}
	return splitWays(strings.Split(text, ","), ",", commas)
}

// splitWays takes the last fields as the label, the longest label first, with
// at most within separators in it.
func splitWays(fields []string, separator string, within int) (out []way) {
	for first := max(len(fields)-1-within, 1); first < len(fields); first++ {
		label := strings.TrimSpace(strings.Join(fields[first:], separator))
		out = append(out, way{withoutFrames(fields[:first], separator), label})
	}
	return out
}

// withoutFrames drops a number after the path: the number of frames. Any other
// field there belongs to the path.
func withoutFrames(fields []string, separator string) string {
	if last := len(fields) - 1; last > 0 && isNumber(strings.TrimSpace(fields[last])) {
		fields = fields[:last]
	}
	return strings.TrimSpace(strings.Join(fields, separator))
}

// atSpace drops a number before the label only if what precedes it ends like a
// file's name, because paths may contain spaces.
func atSpace(text string) []way {
	m := lastWord.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	if frames := framesBehind.FindStringSubmatch(m[1]); frames != nil {
		return []way{{frames[1], m[2]}}
	}
	return []way{{m[1], m[2]}}
}
