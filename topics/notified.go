package topics

import (
	"fmt"
	"regexp"
	"strings"
)

// receiverName is what a receiver may be called: it is part of a consumer group.
var receiverName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckReceiverName returns an error if no receiver may have the name.
func CheckReceiverName(name string) error {
	if !receiverName.MatchString(name) {
		return fmt.Errorf("%.80q: want 1 to 64 letters, digits, '.', '_' and '-'", name)
	}
	return nil
}

// MaxNotified bounds the receivers that a rule names.
const MaxNotified = 32

// CheckNotified checks the receivers that a rule names.
func CheckNotified(names []string) error {
	if len(names) > MaxNotified {
		return fmt.Errorf("%d receivers: want at most %d", len(names), MaxNotified)
	}
	for _, name := range names {
		if err := CheckReceiverName(name); err != nil {
			return err
		}
	}
	return nil
}

// MaxQuestion bounds what a second opinion is asked, in bytes.
const MaxQuestion = 300

// CheckQuestion checks what a second opinion is asked; empty, it is right.
func CheckQuestion(text string) error {
	if len(text) > MaxQuestion || !Printable(text) {
		return fmt.Errorf("want at most %d bytes of printable text, in one line", MaxQuestion)
	}
	return nil
}

// LabelPlaceholder stands for an alert's label in what a second opinion is asked.
const LabelPlaceholder = "{label}"

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9_. ]*\}`)

// CheckPlaceholders returns an error if a question has another placeholder than
// LabelPlaceholder: the model would be asked about the text in braces.
func CheckPlaceholders(question string) error {
	for _, found := range placeholder.FindAllString(question, -1) {
		if found != LabelPlaceholder {
			return fmt.Errorf("there is no placeholder %.80s: the only one is %s, which stands for the alert's label", found, LabelPlaceholder)
		}
	}
	return nil
}

// Question is what is asked about an alert: the rule's question, or else the usual one.
func (a Alert) Question(usual string) string {
	question := a.Verify
	if question == "" {
		question = usual
	}
	return strings.ReplaceAll(question, LabelPlaceholder, a.Label)
}
