package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

type alertInput struct {
	ID string `path:"id" maxLength:"1025" doc:"id of the alert"`
}

// Detail is an alert with what is known of it.
type Detail struct {
	Item
	Because     string   `json:"because" doc:"why it was raised, in a sentence"`
	Reason      string   `json:"reason,omitempty" doc:"why it was cleared"`
	Score       float64  `json:"score,omitempty"`
	Similarity  float64  `json:"similarity,omitempty"`
	Contrast    float64  `json:"contrast,omitempty"`
	Probability *float64 `json:"probability,omitempty" doc:"that it is true, after enough marks of its label; only for who sees every camera"`
	Film        string   `json:"film" enum:"kept,coming,none"`
	Notify      []string `json:"notify,omitempty" doc:"the receivers that its rule names"`
	Model       string   `json:"model_id,omitempty"`
	Vocabulary  string   `json:"vocabulary,omitempty"`
}

type detailOutput struct{ Body Detail }

func (c *Console) getAlert(ctx context.Context, in *alertInput) (*detailOutput, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	see := c.sightOf(ctx)
	d := Detail{
		Item: item(v, c.queue.opinionsOf(see.who.Name, v.ID)), Because: because(v), Score: v.Score, Similarity: v.Similarity, Contrast: v.Contrast,
		Film: c.filmOf(ctx, v), Notify: cleaned(v.Notify),
		Model: topics.Clean(v.Model), Vocabulary: topics.Clean(strings.TrimSpace(v.Vocab.Name + " " + v.Vocab.Version)),
	}
	if see.who.All { // it is made of the marks of all cameras
		d.Probability = calibrate.Probability(c.queue.marksOf(v.Label), v.Alert)
	}
	if v.ClearedAt != nil {
		d.Reason = topics.Clean(v.Reason)
	}
	return &detailOutput{d}, nil
}

// findTime bounds how long an alert is looked for that is not kept in memory.
const findTime = 20 * time.Second

// lookUp finds an alert by its id: in memory, or in the log. One that who asks does not see
// is as unknown as one that there is not.
func (c *Console) lookUp(ctx context.Context, id string) (alertlog.View, error) {
	see := c.sightOf(ctx)
	if !see.mayBe(id) {
		return alertlog.View{}, noAlert(id)
	}
	v, kept := c.queue.find(id)
	if !kept {
		v, kept = c.days.find(id)
	}
	if kept && see.alert(aboutOf(v.Alert)) {
		return v, nil
	}
	// Also of one that is kept and not seen, since that takes time.
	v, err := c.search(ctx, id)
	if err == nil && !see.alert(aboutOf(v.Alert)) {
		return alertlog.View{}, noAlert(id)
	}
	return v, err
}

func noAlert(id string) error { return huma.Error404NotFound("there is no alert " + topics.Clean(id)) }

// search finds an alert in the log.
func (c *Console) search(ctx context.Context, id string) (v alertlog.View, err error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	back, err := c.share(ctx, c.looks)
	if err != nil {
		return v, err
	}
	defer back()
	select {
	case c.finding <- struct{}{}:
		defer func() { <-c.finding }()
	case <-ctx.Done():
		return v, huma.Error503ServiceUnavailable("too many alerts are looked for: try again soon")
	}
	v, err = c.Alerts.Find(ctx, id)
	switch {
	case errors.Is(err, alertlog.ErrUnknown):
		return v, noAlert(id)
	case err != nil:
		return v, huma.Error503ServiceUnavailable("the alert can't be read: " + c.reason(ctx, err))
	}
	return v, nil
}

// find is an alert of a day that is kept.
func (d *days) find(id string) (alertlog.View, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.kept {
		for _, v := range one.views {
			if v.ID == id {
				return v, true
			}
		}
	}
	return alertlog.View{}, false
}

// filmTime bounds how long the bucket is asked.
const filmTime = 5 * time.Second

// filmOf is whether an alert has a film.
func (c *Console) filmOf(ctx context.Context, v alertlog.View) string {
	if c.Alerts.Bucket == nil {
		return "none"
	}
	ctx, cancel := context.WithTimeout(ctx, filmTime)
	defer cancel()
	has, err := c.Alerts.HasFilm(ctx, v.ID)
	switch {
	case err != nil:
		c.Logger.WarnContext(ctx, "not known whether an alert has a film", "alert", topics.Clean(v.ID), "error", topics.Clean(err.Error()))
		return "none"
	case has:
		return "kept"
	case time.Now().Before(v.FilmDue()):
		return "coming"
	}
	return "none"
}

// because says why an alert was raised.
func because(v alertlog.View) string {
	var text string
	switch value := v.Value(); {
	case v.Measure == "stream":
		text = fmt.Sprintf("the stream of %s: %s", v.Camera, v.Label)
	case v.Absent:
		text = fmt.Sprintf("%s was not seen", v.Label)
	case value == 0:
		text = fmt.Sprintf("%s was seen", v.Label)
	default:
		text = fmt.Sprintf("%s of %s was %.2f", orScore(v.Measure), v.Label, value)
		if v.Threshold > 0 {
			text += fmt.Sprintf(", and the rule counts it from %.2f on", v.Threshold)
		}
	}
	if v.RaiseReason != "" {
		text += ": " + v.RaiseReason
	}
	if n := len(v.Cameras); n > 0 {
		text += fmt.Sprintf("; %d cameras showed it", n)
	}
	if v.Novel && v.NearestBase != "" {
		text += fmt.Sprintf("; the model was not trained on it, the nearest that it knows is %s", v.NearestBase)
	}
	return topics.Clean(text)
}

func orScore(measure string) string {
	if measure == "" {
		return "score"
	}
	return measure
}
