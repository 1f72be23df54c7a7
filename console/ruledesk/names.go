package ruledesk

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Known are what rules may name.
type Known struct {
	Labels    []string `json:"labels"`
	Cameras   []string `json:"cameras"`
	Tags      []string `json:"camera_tags"`
	Receivers []string `json:"receivers"`
}

// MaxNames bounds the names of a kind.
const MaxNames = 1000

// Known are the labels of all vocabularies, cameras, their tags, and receivers: those that
// can be written with commas between them, MaxNames of each.
func (a Around) Known() Known {
	labels, tags := map[string]bool{}, map[string]bool{}
	for _, name := range a.Names() {
		for _, l := range a.labelsOf(name) {
			labels[l] = true
		}
	}
	for _, of := range a.Cameras {
		for _, tag := range of {
			tags[tag] = true
		}
	}
	return Known{
		writable(slices.Collect(maps.Keys(labels))), writable(slices.Collect(maps.Keys(a.Cameras))), writable(slices.Collect(maps.Keys(tags))), writable(slices.Clone(a.ReceiverNames)),
	}
}

func (a Around) labelsOf(vocabulary string) (out []string) {
	if v := a.Contents.Words(vocabulary); v != nil {
		for _, l := range v.Labels {
			out = append(out, l.Name)
		}
	}
	return out
}

func writable(names []string) []string {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" || strings.Contains(n, ",") || topics.Clean(n) != n })
	slices.Sort(names)
	return append([]string{}, names[:min(len(names), MaxNames)]...)
}

// Stranger is a name in a rule that nothing has. Its texts are cleaned.
type Stranger struct {
	Field string `json:"field" enum:"actions,cameras,camera_tags,notify"`
	Name  string `json:"name"`
	Meant string `json:"meant,omitempty" doc:"a name that there is, and that is spelt much the same"`
}

// Strangers are the names in a rule that nothing has, as far as that is known.
func (a Around) Strangers(r alerts.Rule) []Stranger {
	out := a.strangeLabels(r)
	add := func(field string, named, there []string, is func(name string) bool) {
		for _, name := range named {
			if !is(name) {
				out = append(out, Stranger{field, topics.Clean(name), topics.Clean(vocab.Nearest(name, there))})
			}
		}
	}
	known := a.Known()
	if a.Cameras != nil {
		add("cameras", r.Cameras, known.Cameras, func(glob string) bool {
			for name := range a.Cameras {
				if ok, err := path.Match(glob, name); ok && err == nil {
					return true
				}
			}
			return false
		})
		add("camera_tags", r.CameraTags, known.Tags, func(tag string) bool {
			for _, tags := range a.Cameras {
				if slices.Contains(tags, tag) {
					return true
				}
			}
			return false
		})
	}
	if a.Receivers != nil {
		add("notify", r.Notify, known.Receivers, func(name string) bool { return slices.Contains(a.ReceiverNames, name) })
	}
	return out
}

// strangeLabels are the labels that no vocabulary of the rule's cameras has.
func (a Around) strangeLabels(r alerts.Rule) []Stranger {
	var there []string
	known := map[string]bool{}
	for _, name := range a.VocabulariesOf(r) {
		if a.Contents.Words(name) == nil {
			return []Stranger{}
		}
		for _, l := range a.labelsOf(name) {
			there, known[vocab.Spelling(l)] = append(there, l), true
		}
	}
	named := slices.Clone(r.Actions)
	if r.Then != nil {
		named = append(named, r.Then.Actions...)
	}
	if r.Absent != nil {
		named = append(named, r.Absent.Actions...)
	}
	out := []Stranger{}
	for _, label := range named {
		if !known[vocab.Spelling(label)] {
			out = append(out, Stranger{"actions", topics.Clean(label), topics.Clean(vocab.Nearest(label, there))})
		}
	}
	return out
}
