package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Surroundings are what rules are checked against. What is nil is not known, and rules
// are not checked against it.
type Surroundings struct {
	Cameras map[string][]string // tags by camera
	// Zones are those of each camera, by camera and name.
	Zones map[string]map[string]topics.Polygon
	Words Words
	// Vocabularies are those of the cameras, by camera; one that has none here has the
	// default one.
	Vocabularies map[string]string
	// Receivers says why a receiver gets no alerts of a rule whose alerts are of at most
	// that severity; empty: it gets them.
	Receivers func(receiver, rule, severest string) string
}

// WithoutEffect returns, by rule, why a rule or a part of it can raise nothing: a
// label or tag that no vocabulary of its cameras has, a glob that no camera matches, a
// rule that watches for the same as another.
func (s *RuleSet) WithoutEffect(around Surroundings) map[string]error {
	out, cameras := map[string]error{}, around.Cameras
	first, made := map[string]*rule{}, map[string]*labelIndex{}
	for _, r := range s.all() {
		var why []string
		if cameras != nil {
			why = append(why, r.unmatched(cameras)...)
			why = append(why, r.tooFew(cameras)...)
			why = append(why, r.unzoned(around)...)
		}
		why = append(why, s.unknownInhibitors(r, cameras)...)
		why = append(why, around.deaf(r)...)
		why = append(why, r.misasked()...)
		if v := around.indexOf(r, made); v != nil {
			why = append(why, r.unknown(v, cameras)...)
		}
		if other := first[r.purpose()]; other != nil {
			why = append(why, fmt.Sprintf("it watches for the same as rule %q, at the same scores: every alert comes twice", other.Name))
		} else {
			first[r.purpose()] = r
		}
		if len(why) > 0 {
			out[r.Name] = errors.New(joinedReasons(why))
		}
	}
	for _, r := range s.onStreams() {
		why := around.deaf(r)
		if cameras != nil {
			why = append(r.unmatched(cameras), why...)
		}
		if len(why) > 0 {
			out[r.Name] = errors.New(joinedReasons(why))
		}
	}
	return out
}

// maxReasons bounds what is said of one rule: it can be wrong in every word.
const maxReasons = 20

func joinedReasons(why []string) string {
	if more := len(why) - maxReasons; more > 0 {
		why = append(why[:maxReasons:maxReasons], fmt.Sprintf("%d more", more))
	}
	return strings.Join(why, "; ")
}

// unmatched are the globs and tags that no camera matches, and overrides for no camera
// of the rule.
func (r *rule) unmatched(cameras map[string][]string) (why []string) {
	some := func(chosen func(name string, tags []string) bool) bool {
		for name, tags := range cameras {
			if chosen(name, tags) {
				return true
			}
		}
		return false
	}
	for _, glob := range r.Cameras {
		if !some(func(name string, _ []string) bool { return topics.Chosen(name, nil, []string{glob}, nil) }) {
			why = append(why, fmt.Sprintf("no camera matches %q", glob))
		}
	}
	for _, tag := range r.CameraTags {
		if !some(func(name string, tags []string) bool { return topics.Chosen(name, tags, nil, []string{tag}) }) {
			why = append(why, fmt.Sprintf("no camera has the tag %q", tag))
		}
	}
	if len(why) == 0 && len(r.Cameras) > 0 && len(r.CameraTags) > 0 && !some(r.watches) {
		why = append(why, "no camera both matches cameras and has one of camera_tags")
	}
	for i, v := range r.variants {
		if !some(func(name string, tags []string) bool { w := r.on(name, tags); return w == v.rule }) {
			why = append(why, fmt.Sprintf("overrides[%d] is in force on no camera: none of the rule's cameras matches it, or an earlier override does", i))
		}
	}
	return why
}

// VocabulariesOf are the vocabularies of the cameras that a rule is for, sorted. Where
// it is for none, that is the default one, whose name is empty here.
func (around Surroundings) VocabulariesOf(r Rule) []string {
	names := map[string]bool{}
	for camera, tags := range around.Cameras {
		if r.watches(camera, tags) {
			names[around.Vocabularies[camera]] = true
		}
	}
	if len(names) == 0 {
		names[""] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// wordsOf are the labels of all vocabularies of a rule's cameras; nil where one of them
// is not known.
func (around Surroundings) wordsOf(r *rule) *vocab.Vocabulary {
	if around.Words == nil {
		return nil
	}
	var out *vocab.Vocabulary
	for _, name := range around.VocabulariesOf(r.Rule) {
		v := around.Words(name)
		switch {
		case v == nil:
			return nil
		case out == nil:
			out = v
		default:
			out = &vocab.Vocabulary{Name: out.Name + " or " + v.Name, Labels: slices.Concat(out.Labels, v.Labels), Problems: slices.Concat(out.Problems, v.Problems)}
		}
	}
	return out
}

// labelIndex finds labels by their spelling: a thousand rules and twenty thousand labels
// are too many to compare all.
type labelIndex struct {
	*vocab.Vocabulary
	labels map[string]bool
	broken map[string]error
}

// indexOf is wordsOf with an index, of which one is made for all rules with the same
// vocabularies.
func (around Surroundings) indexOf(r *rule, made map[string]*labelIndex) *labelIndex {
	if around.Words == nil {
		return nil
	}
	names := strings.Join(around.VocabulariesOf(r.Rule), "\x00")
	if i, is := made[names]; is {
		return i
	}
	var i *labelIndex
	if v := around.wordsOf(r); v != nil {
		i = &labelIndex{v, map[string]bool{}, map[string]error{}}
		for _, l := range v.Labels {
			i.labels[vocab.Spelling(l.Name)] = true
		}
		for _, p := range v.Problems {
			i.broken[vocab.Spelling(p.Label)] = p.Err
		}
	}
	made[names] = i
	return i
}

// unknown are the labels and tags that the vocabulary does not hold.
func (r *rule) unknown(v *labelIndex, cameras map[string][]string) (why []string) {
	has := func(match func(vocab.Label) bool) bool { return slices.ContainsFunc(v.Labels, match) }
	for _, action := range r.names() {
		spelling := vocab.Spelling(action)
		if v.labels[spelling] {
			continue
		}
		if err := v.broken[spelling]; err != nil {
			why = append(why, fmt.Sprintf("the label %q of the vocabulary %s is broken: %s", action, v.Name, topics.Clean(err.Error())))
		} else {
			why = append(why, fmt.Sprintf("the vocabulary %s has no label %q", v.Name, action))
		}
	}
	for _, tag := range r.Tags {
		tagged := func(l vocab.Label) bool { return slices.Contains(l.Tags, tag) }
		if !has(tagged) {
			text := fmt.Sprintf("no label of the vocabulary %s has the tag %q", v.Name, tag)
			if ofCameras(cameras, tag) {
				text += ", only cameras have it: a rule's tags select labels; it selects cameras by their tags under camera_tags"
			}
			why = append(why, text)
		} else if !has(func(l vocab.Label) bool { return tagged(l) && !l.Background }) {
			why = append(why, fmt.Sprintf("every label with the tag %q is background, which raises nothing by its tags", tag))
		}
	}
	if r.Novel && !has(func(l vocab.Label) bool { return !l.Background }) {
		why = append(why, fmt.Sprintf("the vocabulary %s has no label that is not background", v.Name))
	}
	return why
}

// ofCameras is whether a camera has the tag.
func ofCameras(cameras map[string][]string, tag string) bool {
	for _, tags := range cameras {
		if slices.Contains(tags, tag) {
			return true
		}
	}
	return false
}

// purpose is what rules have in common that differ in no more than name, severity,
// cooldown and question.
func (r *rule) purpose() string {
	plain := r.Rule
	plain.Cooldown = 0
	return fmt.Sprint(plain.Hash(), plain.SeverityFrom, plain.Escalate, plain.Notify)
}

// settle is how long to wait after a change before checking: cameras, rules and
// labels are often edited several at a time.
const settle = time.Second

// errNoRules is the warning that there are no rules.
var errNoRules = errors.New("there are no rules: nothing raises an alert: add some under rules in the configuration file, or with `frostwatch rule add`")

// watchEffects reports that there are no rules, and rules that can raise nothing,
// whenever rules, cameras or the vocabulary change, until ctx ends.
func (s *Stage) watchEffects(ctx context.Context) error {
	reported := map[string]error{}
	again := time.NewTicker(time.Minute) // so that the vocabularies stay in use
	defer again.Stop()
	for pause.For(ctx, settle) {
		rules, replaced := s.current()
		cameras, moved := s.fleet.cameras()
		around, edited := Surroundings{Cameras: cameras, Zones: s.fleet.zones(), Vocabularies: s.fleet.vocabularies(), Receivers: s.Receivers}, (<-chan struct{})(nil)
		if s.Vocabularies != nil && (cameras != nil || moved == nil) { // else it is soon known which vocabularies they have
			around.Words, edited = s.Vocabularies.Current, s.Vocabularies.Changed()
		}
		now := rules.WithoutEffect(around)
		if len(rules.both()) == 0 {
			s.Reporter.Warning("rules", errNoRules)
		} else {
			s.Reporter.Warning("rules", nil)
		}
		s.reportEffects(ctx, rules, reported, now)
		reported = now
		select {
		case <-ctx.Done():
		case <-replaced:
		case <-moved:
		case <-edited:
		case <-again.C:
		}
	}
	return nil
}

// maxEffects bounds the lines that are logged about one look, and the rules that are warned of
// by name: one label that goes can concern a thousand.
const maxEffects = 20

func (s *Stage) reportEffects(ctx context.Context, rules *RuleSet, before, now map[string]error) {
	lines, last := 0, firstOf(before)
	names := firstOf(now)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was := before[name]; was != nil && was.Error() == now[name].Error() {
			continue
		}
		if lines++; lines <= maxEffects {
			s.Logger.WarnContext(ctx, "rule can't take full effect", "rule", name, "reason", now[name])
		}
	}
	if more := lines - maxEffects; more > 0 {
		s.Logger.WarnContext(ctx, "further rules can't take full effect, which are not logged one by one", "rules", more)
	}
	for _, name := range names {
		s.Reporter.Warning("rule "+name, now[name])
	}
	for _, name := range last {
		if !slices.Contains(names, name) {
			s.Reporter.Warning("rule "+name, nil)
		}
		if now[name] == nil && rules.either(name) != nil {
			s.Logger.InfoContext(ctx, "rule takes full effect again", "rule", name)
		}
	}
	var further error
	if more := len(now) - len(names); more > 0 {
		further = fmt.Errorf("%d more can't take full effect: see `frostwatch rule ls`", more)
	}
	s.Reporter.Warning("further rules", further)
}

// firstOf are the first names, in order.
func firstOf(of map[string]error) []string {
	names := slices.Sorted(maps.Keys(of))
	return names[:min(maxEffects, len(names))]
}
