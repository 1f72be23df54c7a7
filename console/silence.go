package console

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

type silenceInput struct {
	ID   string `path:"id" maxLength:"1025" doc:"id of the alert"`
	Body struct {
		Minutes int    `json:"minutes" minimum:"1" maximum:"10080" default:"60" doc:"how long"`
		Note    string `json:"note,omitempty" maxLength:"500" doc:"why, for people"`
	}
}

type silenceOutput struct {
	Body struct {
		Silence string    `json:"silence_id"`
		What    string    `json:"what"`
		Until   time.Time `json:"until"`
	}
}

// postSilence silences an alert's rule on its camera, as `silence add --alert` does.
func (c *Console) postSilence(ctx context.Context, in *silenceInput) (*silenceOutput, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if len(v.Cameras) > 0 && !c.whoOf(ctx).All {
		return nil, huma.Error403Forbidden("a rule that counts cameras is silenced on all of them, by who sees every camera")
	}
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := topics.Silence{
		ID: "new", Choice: topics.ChoiceOf(v.Alert), At: now, Until: now.Add(time.Duration(in.Body.Minutes) * time.Minute).Truncate(time.Second),
		Note: in.Body.Note, By: c.whoOf(ctx).Name,
	}
	if err := s.Validate(); err != nil {
		return nil, huma.Error422UnprocessableEntity(topics.Clean(err.Error()))
	}
	if s, err = notify.OpenSilences(c.Bus, c.Names).Add(ctx, s); err != nil {
		return nil, huma.Error503ServiceUnavailable("the silence can't be recorded: " + topics.Clean(err.Error()))
	}
	c.audit(ctx, "silence", "silence", s.ID, "chosen", topics.Clean(s.String()), "until", s.Until)
	out := &silenceOutput{}
	out.Body.Silence, out.Body.What, out.Body.Until = s.ID, topics.Clean(s.String()), s.Until
	return out, nil
}
