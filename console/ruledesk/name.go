package ruledesk

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// NameOf makes a rule's name of words and patterns of cameras, always the same one,
// and another for others: where letters had to be left out, or it got too long, it
// ends with a hash.
func NameOf(words string, cameras []string) string {
	const most, hashed = 48, 6
	text := strings.ToLower(words)
	for _, c := range cameras {
		text += " " + c
	}
	plain := strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !isNameRune(r) }), "-")
	lossy := strings.ContainsFunc(text, func(r rune) bool { return !isNameRune(r) && r != ' ' })
	if !lossy && len(cameras) == 0 && len(plain) <= most {
		return plain
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{strings.ToLower(words)}, cameras...), "\n")))
	if len(plain) > most {
		plain = strings.Trim(plain[:most], "-._")
	}
	if plain == "" {
		plain = "watch"
	}
	return plain + "-" + hex.EncodeToString(sum[:])[:hashed]
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r >= 'A' && r <= 'Z'
}
