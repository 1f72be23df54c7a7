package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (c *Console) searchAPI(api huma.API) {
	huma.Get(api, "/api/v1/search", c.getSearch, named("search", "The recorded clips that words describe best, or that are most like one"), c.needs(viewer))
}

type searchInput struct {
	Text string `query:"text" maxLength:"256" doc:"what is looked for, in words"`
	Like string `query:"like" maxLength:"1025" doc:"id of a clip, or of an alert for the clip it began with: what is like it"`
	View string `query:"view" maxLength:"64" doc:"with like: which of the clip's views, such as zoom (default: the first)"`
	PastInput
	By    string `query:"by" enum:"contrast,similarity" default:"contrast" doc:"what clips are ranked by; a likeness is always a similarity"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"20"`
}

// FoundClips are the clips that a search found.
type FoundClips struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	By     string    `json:"by" enum:"contrast,similarity"`
	Hits   []Hit     `json:"hits" doc:"the best first; of clips of a camera that begin within 30 s of each other, the best"`
	Scored int       `json:"scored" doc:"recordings that were compared"`
	Other  int       `json:"other_models,omitempty" doc:"recordings by other models, which can't be compared"`
	Note   string    `json:"note,omitempty" doc:"why there are none"`
}

// Hit is a clip that was found.
type Hit struct {
	Camera     string      `json:"camera"`
	Clip       string      `json:"clip_id"`
	Start      time.Time   `json:"start"`
	End        time.Time   `json:"end"`
	Contrast   *float64    `json:"contrast,omitempty"`
	Similarity float64     `json:"similarity"`
	At         string      `json:"at" doc:"where its recording is: pictures are found sooner with it"`
	View       string      `json:"view,omitempty" doc:"of the clip's views, the one that is meant"`
	Box        *topics.Box `json:"box,omitempty"`
}

type foundOutput struct{ Body FoundClips }

func (c *Console) getSearch(ctx context.Context, in *searchInput) (*foundOutput, error) {
	if (in.Text == "") == (in.Like == "") {
		return nil, huma.Error422UnprocessableEntity("want text, or like")
	}
	a, err := c.asker()
	if err != nil {
		return nil, err
	}
	g, none, err := c.pastAsked(ctx, in.PastInput, a.Now)
	if err != nil {
		return nil, err
	}
	out := &foundOutput{FoundClips{Since: g.Since, Until: g.Until, By: in.By, Hits: []Hit{}}}
	if none {
		out.Body.Note = nothing
		return out, nil
	}
	ctx, done, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	found, by, err := c.searchPast(ctx, a, g, in)
	switch {
	case errors.Is(err, calibrate.ErrNothing):
		out.Body.Note = nothing
		return out, nil
	case err != nil:
		return nil, c.unasked(ctx, err)
	}
	out.Body.By, out.Body.Scored = by, found.Scored
	out.Body.Hits = c.hits(ctx, found.Hits)
	for _, n := range found.Other {
		out.Body.Other += n
	}
	return out, nil
}

var errNoSuchClip = huma.Error404NotFound("no recording of this clip is kept")

func (c *Console) searchPast(ctx context.Context, a words.Asker, g archive.Range, in *searchInput) (*calibrate.Searched, string, error) {
	o := calibrate.SearchOptions{Past: c.Past, Range: g, Limit: in.Limit, Measure: in.By}
	if in.Like != "" {
		o.Measure = "similarity"
		id := in.Like[strings.LastIndexByte(in.Like, '/')+1:]
		if named, is := cameraIn(id); is && !c.sees(ctx, named) { // how long a look takes would say whether there is one
			return nil, "", errNoSuchClip
		}
		q, rec, err := a.Like(ctx, id, topics.View(in.View))
		if err != nil && ctx.Err() != nil {
			return nil, "", err
		}
		if err != nil || !c.sees(ctx, rec.Camera) { // to who does not see the camera there is none
			return nil, "", errNoSuchClip
		}
		o.Query = q
	} else {
		label, err := c.soundLabel(ctx, vocab.Label{Name: in.Text})
		if err != nil {
			return nil, "", err
		}
		if o.Words, err = a.Words(ctx, g, label); err != nil {
			return nil, "", err
		}
		if !o.Words.HasContrast() {
			o.Measure = "similarity"
		}
	}
	found, err := calibrate.Search(ctx, o)
	return found, o.Measure, err
}

// soundLabel is a label as the vocabulary would have it, if it can be in it and the model
// takes it.
func (c *Console) soundLabel(ctx context.Context, l vocab.Label) (vocab.Label, error) {
	value, err := l.Value()
	if err == nil {
		l, err = vocab.ParseLabel(l.Name, value)
	}
	if err == nil {
		var reader vocab.Reader
		if reader, err = c.readerOf(ctx, c.Config.Vocab.Name); err != nil {
			return l, err
		}
		err = words.Fits(reader, l)
	}
	if err != nil {
		return l, huma.Error422UnprocessableEntity(topics.Clean(err.Error()))
	}
	return l, nil
}

// hits are those of cameras that who asks may see.
func (c *Console) hits(ctx context.Context, all []calibrate.Hit) []Hit {
	out := []Hit{}
	for _, h := range all {
		if !c.sees(ctx, h.Camera) {
			continue
		}
		out = append(out, Hit{
			Camera: topics.Clean(h.Camera), Clip: topics.Clean(h.Clip), Start: h.Start, End: h.End, Contrast: h.Contrast, Similarity: h.Similarity,
			At: recordedAt(h.Partition, h.Offset), View: topics.Clean(string(h.View)), Box: h.Box,
		})
	}
	return out
}

// recordedAt is where a recording is, as pictures are asked for.
func recordedAt(partition int, offset int64) string {
	return strconv.Itoa(partition) + "-" + strconv.FormatInt(offset, 10)
}

func (c *Console) searchPage(w http.ResponseWriter, r *http.Request) {
	c.show(w, r, http.StatusOK, view{Page: "search", Title: "Search", Query: asked(r, "text")})
}

func (c *Console) wordsPage(w http.ResponseWriter, r *http.Request) {
	c.show(w, r, http.StatusOK, view{Page: "words", Title: "Words"})
}

// asked is a text of an address, as far as it may be looked for.
func asked(r *http.Request, name string) string {
	text := topics.Clean(r.URL.Query().Get(name))
	return strings.ToValidUTF8(text[:min(len(text), 256)], "")
}
