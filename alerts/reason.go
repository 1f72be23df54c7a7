package alerts

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Reasons of clears that no clip decided.
const (
	ruleRemoved     = "the rule was removed"
	ruleElsewhere   = "the rule no longer watches this camera"
	anotherFollowed = "another alert of the rule followed"
	ruleCounts      = "the rule counts cameras now"
	ruleCountsNot   = "the rule no longer counts cameras"
	ruleChanged     = "the rule was changed"
)

// fell is the reason of a clear by a clip that lists the label.
func fell(m Measure) string { return fmt.Sprintf("the %s fell", m) }

// Words returns what the vocabulary of that name holds now, an empty name being that
// of the default one; nil: it is not known.
type Words func(name string) *vocab.Vocabulary

// SetWords tells the engine what the vocabularies in force hold; nil: it is not known.
// It changes the reasons of clears, and neither what is raised or cleared nor when. A
// clip that was scored with another version is not judged by them.
func (e *Engine) SetWords(words Words) { e.words = words }

// ending is the label and score that a clear by rec reports, and its reason. best
// is the clip's best label that matches the rule, empty where none does. The score
// is 0, which means none, where the clip has none of the label.
func (w *watch) ending(rec *topics.Recognition, best topics.LabelScore, words Words) (topics.LabelScore, string) {
	own := unscored(*w.open)
	switch why := w.unmatched(rec, words); {
	case why != "" && best.Label != "":
		return own, topics.Clean(fmt.Sprintf("%s, and %.80q scores %.2f", why, best.Label, w.judge.value(&best)))
	case why != "":
		return own, topics.Clean(why)
	case best.Label != "":
		return best, fell(w.rule.Measure())
	}
	if w.rule.Measure() != ByScore {
		return own, fmt.Sprintf("the label %.80q is not listed for the clip", own.Label)
	}
	lowest := slices.MinFunc(wholeLabels(rec.Labels), func(a, b topics.LabelScore) int { return cmp.Compare(a.Score, b.Score) })
	return own, fmt.Sprintf("%s below %.2f", fell(ByScore), max(math.Ceil(100*lowest.Score), 1)/100)
}

// unscored is the alert's label without a score.
func unscored(a topics.Alert) topics.LabelScore {
	l := topics.LabelScore{Label: a.Label, Novel: a.Novel, NearestBase: a.NearestBase}
	if a.Zone != "" {
		l.Zone = &topics.ZoneRef{Name: a.Zone}
	}
	return l
}

// unmatched is why the clip has no score for the label of the open alert, or one
// that the rule ignores; empty where the label only scores too low to be listed.
func (w *watch) unmatched(rec *topics.Recognition, words Words) string {
	name := w.open.Label
	if i := slices.IndexFunc(rec.Labels, func(l topics.LabelScore) bool { return zoneName(&l) == w.open.Zone && vocab.SameLabel(l.Label, name) }); i >= 0 {
		return w.ignored(rec.Labels[i])
	}
	var v *vocab.Vocabulary
	if words != nil {
		v = words(rec.Vocab.Name)
	}
	if v == nil || rec.Vocab != (topics.VocabRef{Name: v.Name, Version: v.Version}) || len(rec.Labels) == 0 && len(v.Labels) > 0 {
		return fmt.Sprintf("the label %.80q is no longer among those listed for the clip", name)
	}
	if i := slices.IndexFunc(v.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, name) }); i >= 0 {
		l := unscored(*w.open)
		l.Tags, l.Background = v.Labels[i].Tags, v.Labels[i].Background
		return w.ignored(l)
	}
	if slices.ContainsFunc(v.Problems, func(p vocab.Problem) bool { return vocab.SameLabel(p.Label, name) }) {
		return fmt.Sprintf("the label %.80q of the vocabulary %.80s is broken", name, v.Name)
	}
	return fmt.Sprintf("the vocabulary %.80s no longer has the label %.80q", v.Name, name)
}

// ignored says so where the rule does not select the label: the rule, or the
// label's tags, were edited since the raise.
func (w *watch) ignored(l topics.LabelScore) string {
	if subject := w.rule.subject(); subject.selects(&l) {
		return ""
	}
	return fmt.Sprintf("the rule no longer selects the label %.80q", l.Label)
}

// wholeLabels are those of the whole picture, which come first.
func wholeLabels(all []topics.LabelScore) []topics.LabelScore {
	if i := slices.IndexFunc(all, func(l topics.LabelScore) bool { return l.Zone != nil }); i > 0 {
		return all[:i]
	}
	return all
}
