package calibrate

import "fmt"

// Verdict is what the past of cameras says about a phrase.
type Verdict string

// Verdicts, from what is the least good news to what is the best. Clips that reach the
// contrast of a rule may also show the thing itself: people have to look.
const (
	TooLittle Verdict = "too little is recorded"
	OftenOver Verdict = "often reached"
	SomeOver  Verdict = "sometimes reached"
	NearlyAt  Verdict = "nearly reached"
	StandsOut Verdict = "stands out"
)

const (
	// fewClips is how many clips of a camera are too few for a verdict: about ten
	// minutes.
	fewClips = 250
	// often is the share of clips that would make a rule of no use: one in 100 is some
	// 360 clips a day.
	often = 0.01
	// near is the share of the contrast that a rule raises at from which on a clip
	// comes near to it.
	near = 0.5
)

// verdict is that on so many clips.
func verdict(clips, over int, highest, raise float64) Verdict {
	switch {
	case float64(over) >= often*float64(max(clips, fewClips)):
		return OftenOver
	case over > 0:
		return SomeOver
	case clips < fewClips:
		return TooLittle
	case highest > near*raise:
		return NearlyAt
	}
	return StandsOut
}

// worst is the verdict on several cameras: that on the one with the least good news.
// Cameras of which too little is recorded count only where there are no others.
func worst(a, b Verdict) Verdict {
	for _, v := range []Verdict{OftenOver, SomeOver, NearlyAt, StandsOut} {
		if a == v || b == v {
			return v
		}
	}
	return TooLittle
}

// Meaning says in plain words what follows from the verdict.
func (v Verdict) Meaning() string {
	switch v {
	case OftenOver:
		return "what is usual here would raise alerts again and again, unless it really happens that often. Look at the clips that come closest: if they don't show it, this phrase can't be told from what is usual; say it in other, more particular words."
	case SomeOver:
		return "it would have raised alerts now and then. Look at the clips that come closest: those that don't show it would be false alarms."
	case NearlyAt:
		return "it would have raised no alert, but some clips come near: expect a false alarm now and then."
	case StandsOut:
		return "nothing recorded comes near it, so it would have raised no false alarm. That does not prove that it would be recognised: either it has not happened here, or the model did not recognise it, and the past can't say which. To find out, act it out before a camera, and check again."
	}
	return fmt.Sprintf("at least %d clips of a camera, some ten minutes, are needed to say anything.", fewClips)
}
