package froster

import "strings"

// Prompts returns the 29 texts whose mean embedding represents one class in
// FROSTER's evaluation: 28 templates around the label, each followed by the
// whole text, and the whole text alone. In "label: description" the label ends
// at the first colon.
func Prompts(text string) []string {
	label, _, _ := strings.Cut(text, ":")
	out := make([]string, 0, promptsPerLabel)
	for _, medium := range []string{"photo", "video", "example", "demonstration"} {
		out = append(out, "a "+medium+" of "+label+". "+text)
		for _, doing := range []string{"", "using ", "doing ", "during ", "performing ", "practicing "} {
			out = append(out, "a "+medium+" of a person "+doing+label+". "+text)
		}
	}
	return append(out, text)
}

const promptsPerLabel = 29
