package vocab

import "strings"

// Nearest returns the label that a person may have meant by text: the shortest that
// begins with it, or else the one of which the fewest letters differ, if these are at
// most a third. It is empty if there is none. Case and white space do not count.
func Nearest(text string, labels []string) string {
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
			if n = Distance(wanted, of); 3*n > longer {
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
