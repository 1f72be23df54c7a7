package vocab

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// maxLabels bounds a vocabulary.
const maxLabels = 20_000

// Vocabulary is the content of one hash.
type Vocabulary struct {
	Name string
	// Version is a hash of the content, so that all workers work out the same.
	Version  string
	Labels   []Label   // sorted by name
	Problems []Problem // entries that were skipped
}

// Has is whether it has a label of that name, in any spelling.
func (v *Vocabulary) Has(label string) bool {
	return slices.ContainsFunc(v.Labels, func(l Label) bool { return SameLabel(l.Name, label) })
}

// Problem is an entry that can't be used, and why.
type Problem struct {
	Label string // the field as it is, not cleaned
	Err   error
}

func (p Problem) String() string { return fmt.Sprintf("label %q: %v", p.Label, p.Err) }

// parse parses a whole hash. An entry that can't be used becomes a Problem and
// affects no other. Of several spellings of a label one counts, see better.
func parse(name string, entries map[string]string) (Vocabulary, error) {
	v := Vocabulary{Name: name, Version: version(entries)}
	fields := make([]entryOf, 0, len(entries))
	for field, value := range entries {
		fields = append(fields, entryOf{field, value, Spelling(field)})
	}
	slices.SortFunc(fields, func(a, b entryOf) int { return cmp.Or(cmp.Compare(a.spelling, b.spelling), better(a, b)) })
	seen := map[string]string{} // name by spelling
	for _, e := range fields {
		l, err := ParseLabel(e.field, e.value)
		if other, is := seen[e.spelling]; err == nil && is {
			err = duplicateOf(other, e.field)
		}
		if err != nil {
			v.Problems = append(v.Problems, Problem{Label: e.field, Err: err})
			continue
		}
		seen[e.spelling] = l.Name
		v.Labels = append(v.Labels, l)
	}
	slices.SortFunc(v.Labels, func(a, b Label) int { return cmp.Compare(a.Name, b.Name) })
	return v, nil
}

// version hashes the sorted entries, each preceded by its length, so that
// different contents never give the same bytes.
func version(entries map[string]string) string {
	h := sha256.New()
	for _, field := range slices.Sorted(maps.Keys(entries)) {
		for _, s := range []string{field, entries[field]} {
			_ = binary.Write(h, binary.LittleEndian, uint32(len(s))) // writing to a hash never fails
			h.Write([]byte(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
