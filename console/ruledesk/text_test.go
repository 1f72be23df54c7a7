package ruledesk

import (
	"testing"

	"github.com/frostwatch/frostwatch/alerts"
)

func TestWhenText(t *testing.T) {
	for want, r := range map[string]alerts.Rule{
		"contrast from 0.2":            {},
		"similarity from -0.9":         {Similarity: &alerts.Levels{Raise: -.9}},
		"score from 0.5, 2 of 3 clips": {Score: &alerts.Levels{Raise: .5}, Clips: alerts.ClipsRule{N: 2, M: 3}},
		"score at its default":         {Score: &alerts.Levels{}},
		"-":                            {Stream: &alerts.StreamRule{}},
	} {
		if got := WhenText(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
