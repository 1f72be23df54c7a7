package eval

import "math"

// Report is what was measured. Shares are from 0 to 1; without videos they are
// absent.
type Report struct {
	Protocol string        `json:"protocol"`
	Model    string        `json:"model_id"`
	Sampling Sampling      `json:"sampling"`
	Groups   []GroupResult `json:"groups"`
	// Harmonic is the harmonic mean of base and novel top-1 over the pairs of
	// splits.
	Harmonic *Summary `json:"harmonic_mean,omitempty"`
	Videos   int      `json:"videos"`
	Known    int      `json:"known_from_earlier_runs"`
	Clips    int      `json:"clips_embedded"`
	Seconds  float64  `json:"seconds"` // time spent embedding
	Broken   []Broken `json:"broken"`  // left out of every figure
	// PassedOver counts the files in classes' folders whose suffix is not a
	// video's, by suffix.
	PassedOver map[string]int `json:"passed_over,omitempty"`
}

// Broken is a video that could not be read.
type Broken struct {
	Path   string `json:"path"`
	Where  string `json:"listed_in"`
	Reason string `json:"reason"`
}

// GroupResult is what was measured of a group's splits.
type GroupResult struct {
	Name   string        `json:"name,omitempty"`
	Splits []SplitResult `json:"splits"`
	Top1   *Summary      `json:"top1"`
	Top5   *Summary      `json:"top5"`
	ECE    *Summary      `json:"ece"`
}

// Summary is a figure over several splits.
type Summary struct {
	Mean float64 `json:"mean"`
	// Spread is the standard deviation of the splits as a sample (n-1); it is
	// absent if there is only one.
	Spread *float64  `json:"spread,omitempty"`
	Of     []float64 `json:"of"`
}

// SplitResult is what was measured of one list.
type SplitResult struct {
	Name     string        `json:"name"`
	Videos   int           `json:"videos"` // those that could be read
	Broken   int           `json:"broken"`
	Top1     *float64      `json:"top1"`
	Top5     *float64      `json:"top5"`
	ECE      *float64      `json:"ece"`
	Bins     []Bin         `json:"calibration_bins"`
	PerClass []ClassResult `json:"per_class"`
	// Misses are P_miss at the rates that were asked for.
	Misses []Miss `json:"misses,omitempty"`
	// Confusion counts videos by label and by answer.
	Confusion []Confused `json:"confusion"`
}

// ClassResult is the accuracy for one class's videos.
type ClassResult struct {
	Class    string   `json:"class"`
	Videos   int      `json:"videos"`
	Accuracy *float64 `json:"accuracy"`
	// TakenFor is the most frequent wrong answer.
	TakenFor string `json:"taken_for,omitempty"`
	// Misses are P_miss at the rates that were asked for, in their order; null without videos.
	Misses []*float64 `json:"misses,omitempty"`
}

// Confused is how many videos of one class were taken for another class, or for
// their own.
type Confused struct {
	Label  int `json:"label"`
	Answer int `json:"answer"`
	Videos int `json:"videos"`
}

// Bin is an interval of scores, (from, to], of the best class.
type Bin struct {
	To       float64 `json:"to"`
	Videos   int     `json:"videos"`
	Score    float64 `json:"mean_score"`
	Accuracy float64 `json:"accuracy"`
}

// figures computes the report from all answers.
func (t *run) figures(p Plan, model string) *Report {
	r := &Report{
		Protocol: p.Protocol, Model: model, Sampling: t.Sampling,
		Videos: len(t.videos), Known: t.progress.Known, Clips: t.progress.Clips, Seconds: t.took.Seconds(), Broken: []Broken{},
	}
	for _, v := range t.videos {
		if v.broken != nil {
			r.Broken = append(r.Broken, Broken{v.Path, v.Where, v.broken.Error()})
		}
	}
	at := 0
	for _, g := range p.Groups {
		result := GroupResult{Name: g.Name}
		for range g.Splits {
			result.Splits = append(result.Splits, t.sheets[at].result())
			r.passOver(t.sheets[at].split.PassedOver)
			at++
		}
		result.Top1 = summarise(result.Splits, func(s SplitResult) *float64 { return s.Top1 })
		result.Top5 = summarise(result.Splits, func(s SplitResult) *float64 { return s.Top5 })
		result.ECE = summarise(result.Splits, func(s SplitResult) *float64 { return s.ECE })
		r.Groups = append(r.Groups, result)
	}
	if p.Protocol == BaseToNovel {
		r.Harmonic = harmonic(r.Groups[0].Top1, r.Groups[1].Top1)
	}
	return r
}

// addMisses adds P_miss at the rates, by the lengths of videos in seconds, by path.
func (t *run) addMisses(r *Report, lengths map[string]float64) {
	at := 0
	for g := range r.Groups {
		for i := range r.Groups[g].Splits {
			s, split := t.sheets[at], &r.Groups[g].Splits[i]
			at++
			seconds := make([]float64, len(s.split.Videos))
			for row, v := range s.split.Videos {
				seconds[row] = lengths[v.Path]
			}
			var perClass [][]*float64
			split.Misses, perClass = s.misses(t.Rates, seconds)
			for class := range split.PerClass {
				split.PerClass[class].Misses = perClass[class]
			}
		}
	}
}

func (r *Report) passOver(files map[string]int) {
	for suffix, n := range files {
		if r.PassedOver == nil {
			r.PassedOver = map[string]int{}
		}
		r.PassedOver[suffix] += n
	}
}

// summarise is nil if one of the splits has no figure: the mean over the others
// would be a different figure.
func summarise(splits []SplitResult, figure func(SplitResult) *float64) *Summary {
	var of []float64
	for _, s := range splits {
		v := figure(s)
		if v == nil {
			return nil
		}
		of = append(of, *v)
	}
	return summaryOf(of)
}

func summaryOf(of []float64) *Summary {
	s := &Summary{Of: of}
	for _, v := range of {
		s.Mean += v / float64(len(of))
	}
	if len(of) > 1 {
		squares := 0.0
		for _, v := range of {
			squares += (v - s.Mean) * (v - s.Mean)
		}
		spread := math.Sqrt(squares / float64(len(of)-1))
		s.Spread = &spread
	}
	return s
}

// harmonic computes the harmonic mean for each pair of base and novel splits.
func harmonic(base, novel *Summary) *Summary {
	if base == nil || novel == nil || len(base.Of) != len(novel.Of) {
		return nil
	}
	of := make([]float64, len(base.Of))
	for i, b := range base.Of {
		if n := novel.Of[i]; b+n > 0 {
			of[i] = 2 * b * n / (b + n)
		}
	}
	return summaryOf(of)
}
