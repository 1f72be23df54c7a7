package froster

import (
	"errors"
	"fmt"
	"strings"
)

// Templates are the texts whose mean embedding represents a class text. In "label:
// description" the label ends at the first colon. A template holds {label}, {text} for
// the whole text, or {description} for what follows the colon.
type Templates []string

// What stands for the parts of a class text in a template.
const (
	ofLabel       = "{label}"
	ofText        = "{text}"
	ofDescription = "{description}"
)

// frosterTemplates are those of FROSTER's evaluation: 28 around the label, each followed
// by the whole text, and the whole text alone.
func frosterTemplates() Templates { return append(around(". "+ofText), ofText) }

// peTemplates are the 28 of Perception Encoder's evaluation on Kinetics. A
// description, which that has not, follows the label: its texts are cut to 32 tokens, so
// the label isn't said twice.
func peTemplates() Templates { return around(". " + ofDescription) }

// around are the 28 beginnings that both share, with what follows the label.
func around(after string) (all Templates) {
	for _, medium := range []string{"photo", "video", "example", "demonstration"} {
		all = append(all, "a "+medium+" of "+ofLabel+after)
		for _, doing := range []string{"", "using ", "doing ", "during ", "performing ", "practicing "} {
			all = append(all, "a "+medium+" of a person "+doing+ofLabel+after)
		}
	}
	return all
}

// Prompts are the templates filled in.
func (t Templates) Prompts(text string) []string {
	label, description, _ := strings.Cut(text, ":")
	out := make([]string, len(t))
	for i, template := range t {
		filled := strings.NewReplacer(ofLabel, label, ofText, text, ofDescription, strings.TrimSpace(description)).Replace(template)
		if strings.HasSuffix(template, ofDescription) {
			filled = strings.TrimSpace(filled)
		}
		out[i] = filled
	}
	return out
}

const (
	maxTemplates    = 128
	maxTemplateText = 512 // bytes
)

// check bounds the templates of a bundle.
func (t Templates) check() error {
	if len(t) > maxTemplates {
		return fmt.Errorf("%d templates: want at most %d", len(t), maxTemplates)
	}
	for _, template := range t {
		if len(template) > maxTemplateText {
			return fmt.Errorf("a template of %d bytes: want at most %d", len(template), maxTemplateText)
		}
		if !strings.Contains(template, ofLabel) && !strings.Contains(template, ofText) {
			return errors.New("a template without the label")
		}
	}
	return nil
}

// Prompts returns the 29 texts whose mean embedding represents one class in
// FROSTER's evaluation.
func Prompts(text string) []string { return frosterTemplates().Prompts(text) }

// Prompts returns the texts whose mean embedding represents a class for this model.
func (b *Bundle) Prompts(text string) []string { return b.templates().Prompts(text) }

// templates are the bundle's own; those of older versions name none, and are FROSTER's.
func (b *Bundle) templates() Templates {
	if len(b.Templates) > 0 {
		return b.Templates
	}
	return frosterTemplates()
}
