package calibrate

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Filled counts what Words filled in.
type Filled struct {
	// Labels are how many values of labels were computed from embeddings, since the
	// recognition lacked the label or its contrast.
	Labels int `json:"labels"`
	// Recognitions are those with any of these, Other those that lack a label and
	// can't be scored: of another model, or without an embedding.
	Recognitions int `json:"recognitions"`
	Other        int `json:"other"`
}

func (f *Filled) add(more Filled) {
	f.Labels, f.Recognitions, f.Other = f.Labels+more.Labels, f.Recognitions+more.Recognitions, f.Other+more.Other
}

// filler adds the words that recognitions lack, and contrasts where they have none. A
// label that is added has no score, as one that is not among a clip's best. It is for
// one goroutine.
type filler struct {
	*Words // nil: nothing is added
	count  Filled
	// name is for each word the first of the list that has its name.
	name  []int
	names vocab.Numbers
	means []int // by number: the first word of that name; -1: there is none
	// at is by that word where the recognition's first label of the name is, -1: nowhere.
	at   []int
	made []topics.LabelScore // labels of the batch's recognitions that lacked some
	// views are those of a recognition that can be compared, each with its index in it.
	views []scoring.View
	index []int
	zones *zoneFiller // nil: no rule is about a zone
}

// maxLabelNames bounds the names that a filler remembers.
const maxLabelNames = 1 << 16

func (w *Words) filler(rules *alerts.RuleSet, zones Zones) *filler {
	f := &filler{Words: w}
	if w == nil {
		return f
	}
	for _, word := range w.list {
		f.name = append(f.name, f.first(word.label.Label))
	}
	f.at = make([]int, len(w.list))
	f.zones = newZoneFiller(w, rules, zones)
	return f
}

// first is the first word of a name, -1 where there is none.
func (f *filler) first(name string) int {
	return slices.IndexFunc(f.list, func(w word) bool { return vocab.SameLabel(name, w.label.Label) })
}

// fill adds what the recognitions of a batch lack; they are valid until the next call.
// Their embeddings are read only if they are needed.
func (f *filler) fill(b archive.Labelled) error {
	if f.Words == nil {
		return nil
	}
	lack, need := false, false
	for i := range b.Records {
		if v := &b.Records[i].Value; f.lacks(v) {
			lack, need = true, need || v.Model == f.model.ID
		}
	}
	if need {
		if err := b.Embed(); err != nil {
			return err
		}
	}
	f.made = f.made[:0]
	for i := range b.Records {
		if v := &b.Records[i].Value; lack && f.lacks(v) {
			f.one(v)
		}
	}
	return nil
}

// lacks is whether a recognition lacks a word or its contrast.
func (f *filler) lacks(rec *topics.Recognition) bool {
	f.find(rec.Labels)
	vocabulary := f.vocabulary(rec)
	for i := range f.list {
		if f.counts(i, vocabulary) && !f.has(i, rec) {
			return true
		}
	}
	return f.zones.lacks(rec)
}

// find looks the labels of a recognition up.
func (f *filler) find(labels []topics.LabelScore) {
	for i := range f.at {
		f.at[i] = -1
	}
	if f.names.Len() > maxLabelNames {
		f.names, f.means = vocab.Numbers{}, nil
	}
	for i := range labels {
		if labels[i].Zone != nil {
			continue
		}
		number := int(f.names.Of(labels[i].Label))
		if number == len(f.means) {
			f.means = append(f.means, f.first(labels[i].Label))
		}
		if word := f.means[number]; word >= 0 && f.at[word] < 0 {
			f.at[word] = i
		}
	}
}

// vocabulary is that of a recognition's camera, where it matters.
func (f *filler) vocabulary(rec *topics.Recognition) string {
	if f.vocabularyOf == nil {
		return ""
	}
	return f.vocabularyOf(rec.Camera, rec.Tags)
}

// counts is whether a word counts on a camera with a vocabulary.
func (f *filler) counts(i int, vocabulary string) bool {
	return f.vocabularyOf == nil || f.list[i].in == nil || slices.Contains(f.list[i].in, vocabulary)
}

// has is whether the recognition that was looked up has a word, with a contrast if
// there can be one.
func (f *filler) has(i int, rec *topics.Recognition) bool {
	return f.at[f.name[i]] >= 0 && (rec.References != nil && rec.References.Hash != "" || !f.HasContrast())
}

// look finds the views of a recognition that can be compared; none of one whose own
// embedding can't be.
func (f *filler) look(rec *topics.Recognition) {
	f.views, f.index = f.views[:0], f.index[:0]
	if rec.Model != f.model.ID || len(rec.Embedding) != f.model.Dims {
		return
	}
	known := rec.References != nil && rec.References.Hash == f.model.References
	add := func(i int, mean, first, last []float32, logit float64) {
		if !known {
			logit = math.NaN()
		}
		f.views = append(f.views, scoring.View{Clip: scoring.Clip{Mean: mean, First: first, Last: last}, Logit: logit})
		f.index = append(f.index, i)
	}
	logit := 0.0
	if known {
		logit = rec.References.Logit
	}
	add(0, rec.Embedding, rec.First, rec.Last, logit)
	for i := 1; i < len(rec.Views); i++ {
		if v := &rec.Views[i]; v.Zone == nil && len(v.Embedding) == f.model.Dims {
			add(i, v.Embedding, v.First, v.Last, v.Logit)
		}
	}
}

// one fills a recognition that was looked up.
func (f *filler) one(rec *topics.Recognition) {
	f.look(rec)
	begin := len(f.made)
	f.made = append(f.made, rec.Labels...)
	filled, unable, vocabulary := 0, false, f.vocabulary(rec)
	for i := range f.list {
		if !f.counts(i, vocabulary) || f.has(i, rec) {
			continue
		}
		if len(f.views) == 0 {
			unable = true
			continue
		}
		l, seen := f.list[i].label, f.values(i, f.views, rec.LogitScale)
		l.Similarity, l.Contrast, l.View = seen.Similarity, seen.Contrast, f.index[seen.View]
		if at := f.at[f.name[i]]; at >= 0 {
			f.made[begin+at].Contrast = l.Contrast
		} else {
			f.at[f.name[i]] = len(f.made) - begin
			f.made = append(f.made, l)
		}
		filled++
	}
	zoned, can := f.fillZones(rec, begin)
	filled, unable = filled+zoned, unable || !can
	rec.Labels = f.made[begin:len(f.made):len(f.made)]
	if f.count.Labels += filled; filled > 0 {
		f.count.Recognitions++
	}
	if unable {
		f.count.Other++
	}
}
