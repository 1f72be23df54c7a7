package cameraedit_test

import (
	"testing"

	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/topics"
)

// A change of tags alone leaves a camera to the file or `up` that put it.
func TestOnlyTagsOfACameraOfUpBecomeAPersons(t *testing.T) {
	for _, c := range []struct {
		source     string
		beyondTags bool
		want       string
		wantTags   bool
	}{
		{topics.SourceUp, false, topics.SourceUp, true},
		{topics.SourceFile, false, topics.SourceFile, true},
		{topics.SourceUp, true, topics.SourcePerson, false},
		{topics.SourcePerson, false, topics.SourcePerson, false},
		{"", false, topics.SourcePerson, false},
	} {
		if got := cameraedit.Own(topics.Camera{Source: c.source, OwnTags: c.wantTags}, c.beyondTags); got.Source != c.want || got.OwnTags != c.wantTags {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
}
