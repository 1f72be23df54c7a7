// Package cameraedit edits the table of cameras as `frostwatch camera` and the console do:
// by the same checks, with the same warnings.
package cameraedit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Editor edits a table. Table, Limits and Trust are required.
type Editor struct {
	*cameras.Table
	Limits cameras.Limits
	Trust  ingest.Trust // of the workers, as far as it is known
	File   string       // the configuration file; empty: not known
	// Lacking says why a vocabulary that a camera names is of no use; nil: that is not known.
	Lacking func(ctx context.Context, vocabulary string) string
}

// Outcome is what an edit has done. Its texts are without secrets.
type Outcome struct {
	Changed  bool // false: the camera was like this before
	Line     string
	Warnings []string
	Notes    []string
}

// LimitsOf are the limits that a configuration sets to every camera.
func LimitsOf(c config.Config) cameras.Limits {
	return cameras.Limits{Protocols: c.Ingest.Protocols, Window: c.Framer.Window, Stride: c.Framer.Stride}
}

// OfFile are the cameras of a configuration.
func OfFile(c config.Config) []topics.Camera {
	all := make([]topics.Camera, len(c.Cameras))
	for i, camera := range c.Cameras {
		all[i] = camera.Record()
	}
	return all
}

// TrustOf is what workers with a configuration let cameras ask of them.
func TrustOf(c config.Config) ingest.Trust {
	return ingest.Trust{Own: OfFile(c), Env: c.Ingest.Env, Allow: c.Ingest.Allow}
}

// Own makes a camera that a person changes that person's. If only its tags change,
// the camera still belongs to the file or the `up` that put it, and only the tags
// are the person's.
func Own(c topics.Camera, beyondTags bool) topics.Camera {
	if beyondTags || c.Source == "" || c.Source == topics.SourcePerson {
		c.Source, c.OwnTags = topics.SourcePerson, false
	} else {
		c.OwnTags = true
	}
	return c
}

// Add adds a camera that is not on the table.
func (e Editor) Add(ctx context.Context, c topics.Camera) (Outcome, error) {
	if err := e.Limits.Validate(c); err != nil {
		return Outcome{}, err
	}
	return e.put(ctx, c, "added", true)
}

// Change replaces a camera, unless nothing would change.
func (e Editor) Change(ctx context.Context, was, c topics.Camera) (Outcome, error) {
	if err := e.Limits.Validate(c); err != nil {
		return Outcome{}, err
	}
	was.Source, was.OwnTags = c.Source, c.OwnTags
	before, err := topics.EncodeCamera(was)
	if err != nil {
		return e.put(ctx, c, "changed", true)
	}
	if after, err := topics.EncodeCamera(c); err == nil && bytes.Equal(before, after) {
		return Outcome{Line: fmt.Sprintf("camera %s is already like this: nothing changed", c.Name)}, nil
	}
	moved := was.URL != c.URL || was.Watch != c.Watch || was.TLSFingerprint != c.TLSFingerprint || was.TLSVerify != c.TLSVerify
	out, err := e.put(ctx, c, "changed", moved)
	if err == nil && len(c.Masks) > 0 && !reflect.DeepEqual(was.Masks, c.Masks) {
		out.Notes = append(out.Notes, fmt.Sprintf("camera %s: clips and evidence that were recorded before show what is masked now", c.Name))
	}
	return out, err
}

// put writes a camera. moved is whether it connects to something else than before: what
// `up` serves it allows by itself, which is not known here, and whether the workers refuse
// the camera does not change otherwise.
func (e Editor) put(ctx context.Context, c topics.Camera, word string, moved bool) (Outcome, error) {
	if err := e.Put(ctx, c); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Changed: true, Line: fmt.Sprintf("camera %s %s: %s", c.Name, word, described(c)), Warnings: cameras.Advice(c)}
	if err := e.Trust.Refusal(c); err != nil && moved {
		out.Warnings = append(out.Warnings, fmt.Sprintf("camera %s: the ingest workers refuse it: %v", c.Name, err))
	}
	if e.Lacking != nil && c.Vocabulary != "" {
		if advice := e.Lacking(ctx, c.Vocabulary); advice != "" {
			out.Warnings = append(out.Warnings, fmt.Sprintf("camera %s: %s", c.Name, advice))
		}
	}
	withheld := e.Trust.Withheld(c)
	if len(withheld) > 0 {
		out.Warnings = append(out.Warnings, refusesNames(c.Name, withheld, e.File))
	}
	if names := referred(c); len(names) > 0 && len(withheld) == 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("each ingest worker needs %s in its environment, and under ingest.env of its configuration file", strings.Join(names, ", ")))
	}
	return out, nil
}

// described is a camera in one line.
func described(c topics.Camera) string {
	line := cameras.RedactURL(c.URL)
	add := func(is bool, text string) {
		if is {
			line += ", " + text
		}
	}
	add(c.Watch != "", "looked at by "+cameras.RedactURL(c.Watch))
	add(len(c.Tags) > 0, "tags "+strings.Join(c.Tags, ", "))
	add(c.Vocabulary != "", "vocabulary "+c.Vocabulary)
	add(len(c.Views) > 0, "views "+topics.ViewNames(c.Views))
	add(c.Decode != "", "decode "+string(c.Decode))
	add(c.Record != "", "record "+string(c.Record))
	add(len(c.Masks) > 0, fmt.Sprintf("%d masked", len(c.Masks)))
	add(len(c.Zones) > 0, "zones "+strings.Join(slices.Sorted(maps.Keys(c.Zones)), ", "))
	add(c.Disabled, "disabled")
	return line
}

// referred are the variables that a camera's URLs refer to, each once.
func referred(c topics.Camera) (names []string) {
	for _, name := range append(cameras.References(c.URL), cameras.References(c.Watch)...) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// refusesNames is the warning about a camera whose URL refers to variables that are not
// in ingest.env of a configuration file.
func refusesNames(camera string, names []string, file string) string {
	var refs []string
	for _, name := range names {
		refs = append(refs, "${"+name+"}")
	}
	list := strings.Join(names, ", ")
	return fmt.Sprintf("camera %s: the ingest workers refuse it: its URL uses %s: add %s to ingest.env in %s, and restart the workers with %s in their environment",
		camera, strings.Join(refs, ", "), list, cmp.Or(file, "their configuration file"), list)
}
