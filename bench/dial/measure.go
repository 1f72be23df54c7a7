package main

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// measure is what rules compare in place of the contrast. Its values are log odds, as
// contrast's would be, so that an engine can compare them.
type measure struct {
	name string
	of   func(camera string, label int, l topics.LabelScore) float64 // nil: contrast
	// below is by how much, in log odds, alerts are cleared below the raise level; 0: at
	// two thirds of it, as in the alerts stage. Measures are compared with one value of
	// it: the lower alerts are cleared, the fewer there are.
	below float64
}

// compared is what all measures are cleared below.
const compared = 1

// usual is what one label usually has on one camera.
type usual struct{ median, spread, high float64 }

// key is a label on a camera.
type key struct {
	camera string
	label  int
}

// measures are contrast and similarity, and both relative to what a camera usually shows,
// as the hours to learn from have it. One threshold for all cameras is the same with a
// spread pooled over all of them as with none; so the spread is half the camera's own.
func (p *proof) measures(s split) []measure {
	contrast := func(l topics.LabelScore) float64 { return logit(l.Contrast) }
	similarity := func(l topics.LabelScore) float64 { return p.model.Scale * l.Similarity }
	out := []measure{
		{"contrast, cleared as similarity is", nil, compared},
		{"similarity", func(_ string, _ int, l topics.LabelScore) float64 { return logistic(similarity(l)) }, compared},
	}
	for _, base := range []struct {
		name string
		of   func(topics.LabelScore) float64
	}{{"contrast", contrast}, {"similarity", similarity}} {
		shown, pooled := p.usual(s, base.of)
		relative := func(name string, value func(x float64, u usual, pooled float64) float64) {
			out = append(out, measure{base.name + name, func(camera string, label int, l topics.LabelScore) float64 {
				return logistic(value(base.of(l), shown[key{camera, label}], pooled[label]))
			}, compared})
		}
		relative(" less the camera's median", func(x float64, u usual, _ float64) float64 { return x - u.median })
		relative(" less it, by half-pooled spread", func(x float64, u usual, pooled float64) float64 {
			return (x - u.median) * pooled / math.Sqrt((u.spread*u.spread+pooled*pooled)/2)
		})
		relative(" less it, by the camera's spread", func(x float64, u usual, pooled float64) float64 {
			return (x - u.median) * pooled / max(u.spread, 1e-3)
		})
		relative(" less the camera's 99% quantile", func(x float64, u usual, _ float64) float64 { return x - u.high })
	}
	return out
}

// usual are the median, the standard deviation and the 99% quantile of each label on
// each camera, and each label's spread pooled over cameras.
func (p *proof) usual(s split, of func(topics.LabelScore) float64) (map[key]usual, []float64) {
	out, pooled := map[key]usual{}, make([]float64, len(p.labels))
	for _, camera := range p.cameras {
		for label := range p.labels {
			var values []float64
			for _, r := range p.hours[camera] {
				if slices.Contains(s.learn, p.hour(r.Value.Start)) {
					values = append(values, of(r.Value.Labels[label]))
				}
			}
			slices.Sort(values)
			u := usual{median: values[len(values)/2], spread: deviation(values), high: values[len(values)*99/100]}
			out[key{camera, label}] = u
			pooled[label] += u.spread * u.spread / float64(len(p.cameras))
		}
	}
	for i := range pooled {
		pooled[i] = math.Sqrt(pooled[i])
	}
	return out, pooled
}

func deviation(values []float64) float64 {
	var mean, sum float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)))
}

// limit bounds log odds, so that no two different ones become one contrast.
const limit = 30

func logit(p float64) float64 {
	return min(max(math.Log(p)-math.Log1p(-p), -limit), limit)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-min(max(x, -limit), limit))) }
