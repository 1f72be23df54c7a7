package froster

import (
	_ "embed"
	"strings"
)

// neutral holds sentences about what cameras see when nothing calls for an alert.
// Our own; which and how many was decided by measurement (docs/accuracy.md).
//
//go:embed references.txt
var neutral string

// NeutralSentences are the sentences that new bundles get.
func NeutralSentences() []string { return strings.Split(strings.TrimSpace(neutral), "\n") }

// ReferenceTexts are the fixed texts that a label's contrast is taken against: the
// base classes and the bundle's neutral sentences. For a bundle that has no
// sentences these are the program's own.
func (b *Bundle) ReferenceTexts() []string {
	sentences := b.References
	if len(sentences) == 0 {
		sentences = NeutralSentences()
	}
	return append(append(make([]string, 0, len(b.BaseClasses)+len(sentences)), b.BaseClasses...), sentences...)
}
