// Package ruledesk shows and edits rules as the commands and the console do: one
// validation, one account of what an edit does, and one wording.
package ruledesk

import (
	"context"
	"errors"
	"fmt"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Desk is what rules are edited with. It keeps nothing: each call reads anew. All fields
// but Path and Parse are required.
type Desk struct {
	Store  *alerts.Store
	Labels *vocab.Store
	Config config.Config
	File   *alerts.RuleSet // the rules of the configuration file
	Path   string          // of it; empty: not known
	// Parse reads the content of the store; nil: alerts.ParseStored, which takes long for
	// many rules.
	Parse func(vocab.Content) alerts.Stored
	// Cameras reads the table of cameras.
	Cameras func(context.Context) ([]topics.Camera, error)
}

// parse reads the content of the store.
func (d *Desk) parse(c vocab.Content) alerts.Stored {
	if d.Parse == nil {
		return alerts.ParseStored(c)
	}
	return d.Parse(c)
}

// stored reads the stored rules.
func (d *Desk) stored(ctx context.Context) (alerts.Stored, error) {
	c, err := d.Store.Read(ctx)
	if err != nil {
		return alerts.Stored{}, err
	}
	return d.parse(c), nil
}

// Around is what rules are checked against. What is not known is nil, and Unknown says
// why.
type Around struct {
	alerts.Surroundings
	Contents
	ReceiverNames []string // of the configuration
	Unknown       error
}

// Around reads what rules are checked against.
func (d *Desk) Around(ctx context.Context) Around {
	var out Around
	if plan, err := notify.Compile(d.Config.Notify.Receivers); err == nil { // a mistake in it is none of the rules'
		out.Receivers, out.ReceiverNames = plan.WhyNot, plan.Names()
	}
	all, kafka := d.Cameras(ctx)
	if kafka == nil {
		out.Cameras, out.Vocabularies, out.Zones = map[string][]string{}, map[string]string{}, map[string]map[string]topics.Polygon{}
		for _, c := range all {
			out.Cameras[c.Name], out.Vocabularies[c.Name], out.Zones[c.Name] = c.Tags, d.Config.Vocab.Of(c), c.Zones
		}
	}
	var err error
	out.Contents, err = ReadContents(ctx, d.Labels, d.Config.Vocab, all)
	out.Surroundings.Words = out.Contents.Words
	out.Unknown = errors.Join(err, kafka)
	return out
}

// Note says what rules could not be checked against; empty: nothing.
func (a Around) Note() string {
	if a.Unknown == nil {
		return ""
	}
	return fmt.Sprintf("not checked against everything: %s\n", topics.Clean(a.Unknown.Error()))
}
