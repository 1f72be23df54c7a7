package commands

import "strings"

// nearest returns the label that a person may have meant by text: the shortest that
// begins with it, or else the one of which the fewest letters differ, if these are at
// most a third. It is empty if there is none. Case and white space do not count.
func nearest(text string, labels []string) string {
	wanted := letters(text)
	best, fewest, begins := "", 0, false
	for _, label := range labels {
		of := letters(label)
		longer, more := max(len(wanted), len(of)), max(len(of)-len(wanted), len(wanted)-len(of))
		n, beginsSo := more, strings.HasPrefix(string(of), string(wanted))
		if !beginsSo {
			if begins || 3*more > longer {
				continue // quickly: there may be 20,000 labels
			}
			if n = distance(wanted, of); 3*n > longer {
				continue
			}
		}
		if best == "" || beginsSo && !begins || n < fewest {
			best, fewest, begins = label, n, beginsSo
		}
	}
	return best
}

// letters are the runes of a text in lower case, with single spaces between words.
func letters(text string) []rune {
	return []rune(strings.ToLower(strings.Join(strings.Fields(text), " ")))
}

// distance is how many letters must be changed, added or left out to make b of a
// (Levenshtein, 1966).
func distance(a, b []rune) int {
	row := make([]int, len(b)+1) // for a's first i letters and each beginning of b
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j, y := range b {
			change := before
			if x != y {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
