package froster

import (
	"compress/gzip"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// official is CLIP's encoder of cleaned texts as published: on strings, with its
// pattern as Python's regex reads it (words). It is slow.
type official struct {
	ids     map[string]int
	ranks   map[[2]string]int
	letters []string
	pattern *regexp.Regexp
}

func newOfficial(t testing.TB) *official {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(string(mergesFile)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	o := &official{ids: map[string]int{}, ranks: map[[2]string]int{}, letters: make([]string, 256),
		pattern: regexp.MustCompile(`(?i:<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}\x{345}]+`)}
	var vocab []string
	others := 0
	for b := range 256 {
		if b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®' && b <= 'ÿ' {
			o.letters[b] = string(rune(b))
			vocab = append(vocab, o.letters[b])
		}
	}
	for b := range 256 {
		if o.letters[b] == "" {
			o.letters[b] = string(rune(256 + others))
			vocab = append(vocab, o.letters[b])
			others++
		}
	}
	for _, letter := range slices.Clone(vocab) {
		vocab = append(vocab, letter+"</w>")
	}
	for i, line := range strings.Split(string(raw), "\n")[1 : 49152-256-2+1] {
		a, b, _ := strings.Cut(line, " ")
		o.ranks[[2]string{a, b}] = i
		vocab = append(vocab, a+b)
	}
	for i, v := range append(vocab, "<|startoftext|>", "<|endoftext|>") {
		o.ids[v] = i
	}
	if len(o.ids) != endID+1 {
		t.Fatalf("%d tokens", len(o.ids))
	}
	return o
}

func (o *official) encode(cleaned string) []int {
	ids := []int{startID}
	for _, word := range o.pattern.FindAllString(cleaned, -1) {
		if id, ok := o.ids[word]; ok && (id == startID || id == endID) {
			ids = append(ids, id)
			continue
		}
		for _, piece := range o.merge(word) {
			ids = append(ids, o.ids[piece])
		}
	}
	return append(ids, endID)
}

func (o *official) merge(word string) []string {
	var pieces []string
	for _, b := range []byte(word) {
		pieces = append(pieces, o.letters[b])
	}
	pieces[len(pieces)-1] += "</w>"
	for {
		best, rank := [2]string{}, math.MaxInt
		for i := range len(pieces) - 1 {
			pair := [2]string{pieces[i], pieces[i+1]}
			if r, ok := o.ranks[pair]; ok && r < rank {
				best, rank = pair, r
			}
		}
		if rank == math.MaxInt {
			return pieces
		}
		var joined []string
		for len(pieces) > 0 {
			if len(pieces) > 1 && pieces[0] == best[0] && pieces[1] == best[1] {
				joined, pieces = append(joined, best[0]+best[1]), pieces[2:]
				continue
			}
			joined, pieces = append(joined, pieces[0]), pieces[1:]
		}
		pieces = joined
	}
}

// decode gives the text of ids, each word followed by a space; raw are the
// tokens by id.
func (o *official) decode(ids []int) string {
	tokens, bytes := make([]string, len(o.ids)), map[string]byte{}
	for v, id := range o.ids {
		tokens[id] = v
	}
	for b, letter := range o.letters {
		bytes[letter] = byte(b)
	}
	var out strings.Builder
	for _, id := range ids {
		if id == startID || id == endID {
			out.WriteString(tokens[id] + " ")
			continue
		}
		token, ends := strings.CutSuffix(tokens[id], "</w>")
		for _, letter := range token {
			out.WriteByte(bytes[string(letter)])
		}
		if ends {
			out.WriteByte(' ')
		}
	}
	return out.String()
}
