package vocab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Advice is about a text of a label that the model is likely to read otherwise than
// it is meant. The label is used all the same.
type Advice struct {
	Label  string `json:"label"`
	Column string `json:"column"` // label, description, aliases, begins or ends
	Text   string `json:"advice"`
}

func (a Advice) String() string {
	return fmt.Sprintf("label %q, %s: %s", a.Label, a.Column, a.Text)
}

// Reader is what is known of the model that reads the labels. Each part may be nil:
// what needs it is not checked.
type Reader struct {
	// Pieces is in how many pieces the model's tokenizer cuts a word. It has learnt
	// whole words that are common in English captions; others it puts together.
	Pieces func(word string) int
	// Words are English words that labels are made of, in lower case, and how often
	// they occur in labels. Misspelt words are compared with them.
	Words map[string]int
	// Fits says why a text is too long for the model.
	Fits func(text string) error
	// Cut says why only the beginning of a text is read.
	Cut func(text string) error
	// Cosine is how similar the model finds two texts; ok is false if it is not known.
	Cosine func(a, b string) (cosine float64, ok bool)
}

// Alike is the cosine of two texts above which they say the same to the model.
const Alike = 0.95

// maxCompared bounds the labels that are compared by the model's cosine: 1000 make
// half a million pairs.
const maxCompared = 1000

// Lint checks labels. all is the vocabulary that they belong to, with which they are
// compared.
func Lint(labels, all []Label, r Reader) []Advice {
	var out []Advice
	for _, l := range labels {
		for _, t := range l.columns() {
			for _, text := range r.textAdvice(t.text) {
				out = append(out, Advice{l.Name, t.column, text})
			}
		}
		out = append(out, r.tooLong(l)...)
	}
	return append(out, r.twins(labels, all)...)
}

// tooLong says that a label is skipped or cut: the first of its texts of which that is so.
func (r Reader) tooLong(l Label) []Advice {
	for i, text := range l.Texts() { // the description is part of each
		why := ""
		if r.Fits != nil {
			if err := r.Fits(text); err != nil {
				why = fmt.Sprintf("it is skipped: %v: shorten it", err)
			}
		}
		if r.Cut != nil && why == "" {
			if err := r.Cut(text); err != nil {
				why = err.Error()
			}
		}
		if why == "" {
			continue
		}
		column := "label"
		switch {
		case i > 0:
			column = "aliases"
		case l.Description != "":
			column = "description"
		}
		return []Advice{{l.Name, column, why}}
	}
	return nil
}

type labelText struct{ column, text string }

// columns are the texts of a label that the model reads, or will.
func (l Label) columns() []labelText {
	out := []labelText{{"label", l.Name}, {"description", l.Description}, {"begins", l.Begins}, {"ends", l.Ends}}
	for _, alias := range l.Aliases {
		out = append(out, labelText{"aliases", alias})
	}
	return slices.DeleteFunc(out, func(c labelText) bool { return c.text == "" })
}

// negation finds words that deny what follows. "no one" and "nobody" are left out:
// they are how people describe an empty place.
var negation = regexp.MustCompile(`(?i)\b(not|without|never|no|[a-z]+n['’]t|cannot)\b`)

// textAdvice checks one text.
func (r Reader) textAdvice(text string) (out []string) {
	if denied := negation.FindString(strings.ReplaceAll(strings.ToLower(text), "no one", "nobody")); denied != "" {
		out = append(out, fmt.Sprintf("%q is hardly taken into account by the model, which then looks for what is denied: name what is seen instead, as \"bare head\" for \"not wearing a helmet\"", denied))
	}
	words := wordsOf(text)
	if script := otherScript(text); script != "" {
		return append(out, fmt.Sprintf("it has letters of another script (%s): the model was trained on English captions and hardly knows other languages: say it in English", script))
	}
	if r.Pieces == nil {
		return out
	}
	denials := len(out)
	var unknown []string // that are no slips of the keyboard
	for _, w := range words {
		if meant := r.meant(w); meant != "" {
			out = append(out, fmt.Sprintf("the model does not know the word %q: was %q meant?", w, meant))
		} else if !r.known(w) && r.Pieces(w) > 1 {
			unknown = append(unknown, w)
		}
	}
	// Two words alone may be two rare ones, unless they have letters that English lacks.
	if len(unknown) > 1 && 2*len(unknown) > len(words) && (len(words) > 2 || !isPlain(text)) {
		return append(out[:denials], "most of its words are unknown to the model, which was trained on English captions: say it in English, in common words")
	}
	for _, w := range unknown {
		if n := r.Pieces(w); n >= 4 {
			out = append(out, fmt.Sprintf("the model does not know the word %q (it reads %d pieces of it): check its spelling, or use a common word", w, n))
		}
	}
	return out
}

// wordsOf are the words of a text in lower case. Such as have digits, or a capital
// letter after the first, are names and left out.
func wordsOf(text string) (out []string) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if strings.ContainsFunc(w, unicode.IsDigit) || strings.ToUpper(w) == w && len(w) > 1 && strings.ToUpper(text) != text {
			continue
		}
		out = append(out, strings.ToLower(w))
	}
	return out
}

// otherScript names the script of the first letter that is not Latin.
func otherScript(text string) string {
	for _, r := range text {
		if !unicode.IsLetter(r) || unicode.Is(unicode.Latin, r) || unicode.Is(unicode.Common, r) {
			continue
		}
		names := []string{}
		for name, table := range unicode.Scripts {
			if unicode.Is(table, r) {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	return ""
}

// known reports whether a word is English, or a form of an English word: a word that
// labels are made of, or that the model has learnt as a whole.
func (r Reader) known(word string) bool {
	if len(word) < 4 || r.Words[word] > 0 || r.Words[word+"s"] > 0 {
		return true
	}
	for _, end := range []string{"s", "es", "ed", "d", "ing", "er", "ers", "ly", "y", "n"} {
		stem, cut := strings.CutSuffix(word, end)
		if !cut || len(stem) < 3 {
			continue
		}
		stems := []string{stem, stem + "e"}
		if stem[len(stem)-1] == stem[len(stem)-2] { // as in running
			stems = append(stems, stem[:len(stem)-1])
		}
		for _, s := range stems {
			if r.Words[s] > 0 || len(s) >= 4 && r.Pieces != nil && r.Pieces(s) == 1 {
				return true
			}
		}
	}
	return false
}

// meant is the known word that a word is a misspelling of, by one slip, or "". A word
// that the model has learnt as a whole is taken for right.
func (r Reader) meant(word string) string {
	if len(word) < 5 || r.Pieces(word) == 1 || r.known(word) {
		return ""
	}
	best, wanted := "", []rune(word)
	for known, often := range r.Words {
		if len(known) < 4 || known[0] != word[0] || max(len(known)-len(word), len(word)-len(known)) > 1 || Distance(wanted, []rune(known)) > 1 {
			continue
		}
		if best == "" || often > r.Words[best] || often == r.Words[best] && known < best {
			best = known
		}
	}
	return best
}

// Distance is how many letters must be changed, added or left out to make b of a
// (Levenshtein, 1966); two neighbours in the wrong order count once (Damerau, 1964).
func Distance(a, b []rune) int {
	// Rows of the table of distances between the beginnings of a and of b.
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		older, old, row = old, row, older
		row[0] = i + 1
		for j := range b {
			change := old[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, old[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// twins are labels that say the same as another one of the vocabulary: by the model's
// cosine where it is known, otherwise by their words. Each pair is named once.
func (r Reader) twins(labels, all []Label) (out []Advice) {
	mine := make(map[string]bool, len(labels))
	for _, l := range labels {
		mine[l.Name] = true
	}
	said := make(map[string][]Label, len(all))
	for _, l := range all {
		g := gist(l.Name)
		said[g] = append(said[g], l)
	}
	byModel := r.Cosine != nil && len(labels) <= maxCompared && len(all) <= maxCompared
	for _, l := range labels {
		others := said[gist(l.Name)]
		if byModel {
			others = all
		}
		for _, o := range others {
			if l.Name == o.Name || SameLabel(l.Name, o.Name) || mine[o.Name] && o.Name < l.Name {
				continue
			}
			c, known := 0.0, false
			if byModel {
				c, known = r.cosine(l, o)
			}
			switch {
			case known && c > Alike:
				out = append(out, Advice{l.Name, "label", fmt.Sprintf("to the model it says nearly the same as %q (cosine %.2f): make one an alias of the other, or say how they differ", o.Name, c)})
			case !known && gist(l.Name) == gist(o.Name):
				out = append(out, Advice{l.Name, "label", fmt.Sprintf("it has the same words as %q: make one an alias of the other, or say how they differ", o.Name)})
			}
		}
	}
	return out
}

// cosine is that of the most similar texts of two labels.
func (r Reader) cosine(a, b Label) (best float64, ok bool) {
	if r.Cosine == nil {
		return 0, false
	}
	for _, x := range a.Texts() {
		for _, y := range b.Texts() {
			if c, known := r.Cosine(x, y); known {
				best, ok = max(best, c), true
			}
		}
	}
	return best, ok
}

// filler are words that make no difference between two labels.
var filler = map[string]bool{
	"a": true, "an": true, "the": true, "is": true, "are": true, "person": true, "someone": true, "somebody": true,
}

// gist is what two labels of the same words have in common, whatever their order and
// endings.
func gist(name string) string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if filler[w] {
			continue
		}
		for _, end := range []string{"ing", "ed", "es", "s"} {
			if stem, cut := strings.CutSuffix(w, end); cut && len(stem) > 2 {
				w = stem
				break
			}
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return Spelling(name)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}
