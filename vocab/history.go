package vocab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Edit is an edit of a hash as its history has it.
type Edit struct {
	Time time.Time // by Redis's clock; when it was noticed, if it is by External
	By   string    // who made it
	Note string    // such as the command it was made with; may be empty
	// Version and Labels are those of the content after it. Labels counts all
	// entries, also those that can't be used.
	Version string
	Labels  string
	Changes []EntryChange // sorted by label
	// Begins says that the history begins here: what was there before is not known,
	// and Changes is empty.
	Begins bool
	// Cut says that older parts of the edit have been forgotten, because the
	// history is bounded.
	Cut bool
}

// EntryChange is what an edit did to an entry of the hash. A nil value means that
// the entry was not there.
type EntryChange struct {
	Label         string
	Before, After *string
}

// Past is the history of a hash with its present content, from which any older
// content is worked out.
type Past struct {
	What  string            // such as "vocabulary default"
	Edits []Edit            // the oldest first
	Now   map[string]string // the entries of the hash
}

// Past reads the history. It first records what was edited with other programs and
// not noticed by a worker yet.
func (h *Hash) Past(ctx context.Context) (Past, error) {
	for range attempts {
		c, err := h.content(ctx)
		if err != nil {
			return Past{}, h.explain("read", err)
		}
		now := version(c.entries)
		if err := h.record(ctx, c.digest, now); err != nil {
			return Past{}, err
		}
		edits, err := h.edits(ctx)
		if err != nil {
			return Past{}, h.explain("read the history of", err)
		}
		if len(edits) == 0 || edits[len(edits)-1].Version == now {
			return Past{h.What, edits, c.entries}, nil
		}
	}
	return Past{}, fmt.Errorf("read the history of %s: its newest entry is not about the present content, which changes all the time or was not recorded", h.What)
}

// edits reads the stream in pieces.
func (h *Hash) edits(ctx context.Context) ([]Edit, error) {
	const piece = 200
	var out []Edit
	open := false // the last edit has further parts
	for from := "-"; ; {
		entries, err := h.Client.XRangeN(ctx, h.history(), from, "+", piece).Result()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			out, open = appendEntry(out, open, e)
		}
		if len(entries) < piece {
			return out, nil
		}
		from = "(" + entries[len(entries)-1].ID
	}
}

// appendEntry adds an entry of the stream, which is an edit or a further part of
// the last one.
func appendEntry(edits []Edit, open bool, e redis.XMessage) ([]Edit, bool) {
	text := func(key string) string { s, _ := e.Values[key].(string); return s }
	part, parts := 1, 1
	_, _ = fmt.Sscanf(text("part"), "%d/%d", &part, &parts) // without: a whole edit
	if part == 1 || !open {
		edits = append(edits, Edit{
			Time: timeOf(e.ID), By: text("by"), Note: text("note"), Version: text("version"), Labels: text("labels"),
			Begins: text("begins") != "", Cut: part > 1,
		})
	}
	last := &edits[len(edits)-1]
	last.Changes = append(last.Changes, changesOf(e.Values)...)
	return edits, part < parts
}

// changesOf reads the changes in an entry of the stream, sorted by label.
func changesOf(values map[string]any) []EntryChange {
	changes := map[string]*EntryChange{}
	for key, v := range values {
		value, isText := v.(string)
		if !isText || key == "" || key[0] != '-' && key[0] != '+' {
			continue
		}
		c := changes[key[1:]]
		if c == nil {
			c = &EntryChange{Label: key[1:]}
			changes[c.Label] = c
		}
		if key[0] == '-' {
			c.Before = &value
		} else {
			c.After = &value
		}
	}
	var out []EntryChange
	for _, label := range slices.Sorted(maps.Keys(changes)) {
		out = append(out, *changes[label])
	}
	return out
}

// Unknown means that a history does not reach back to what was asked for.
type Unknown struct{ what string }

func (e *Unknown) Error() string { return e.what }

// Version finds the newest edit that led to a version, which may be given by its
// first characters.
func (p Past) Version(version string) (at int, err error) {
	const fewest = 4
	at = -1
	for i, e := range p.Edits {
		switch {
		case len(version) < fewest || !strings.HasPrefix(e.Version, version):
		case at >= 0 && p.Edits[at].Version != e.Version:
			return 0, fmt.Errorf("version %q of %s: several begin so, such as %s and %s", version, p.What, p.Edits[at].Version, e.Version)
		default:
			at = i
		}
	}
	if at < 0 {
		return 0, &Unknown{fmt.Sprintf("the history of %s has no version %q%s", p.What, version, p.reach())}
	}
	return at, nil
}

// At finds the edit that led to the content at a time: the last one before it.
func (p Past) At(t time.Time) (at int, err error) {
	at = -1
	t = t.Truncate(time.Millisecond) // as the times of edits are
	for i, e := range p.Edits {
		if e.Time.Before(t) {
			at = i
		}
	}
	if at < 0 {
		return 0, &Unknown{fmt.Sprintf("what %s held at %s is not known%s", p.What, t.Local().Format(time.DateTime), p.reach())}
	}
	return at, nil
}

// reach says when the history begins.
func (p Past) reach() string {
	if len(p.Edits) == 0 {
		return ": nothing has been recorded yet"
	}
	return ": its history begins " + p.Edits[0].Time.Local().Format(time.DateTime)
}

// After is the content after the edit at an index, which it works out from the
// present one by undoing every newer edit. It fails if one of these is not known
// whole.
func (p Past) After(at int) (map[string]string, error) {
	entries := maps.Clone(p.Now)
	for i := len(p.Edits) - 1; i > at; i-- {
		e := p.Edits[i]
		when := e.Time.Local().Format(time.DateTime)
		switch {
		case e.Begins:
			return nil, &Unknown{fmt.Sprintf("what %s held before %s is not known: its history begins anew there, as after Redis has lost data", p.What, when)}
		case e.Cut:
			return nil, &Unknown{fmt.Sprintf("what %s held before %s is not known: of the edit at that time its history keeps only a part", p.What, when)}
		}
		if err := undo(entries, e); err != nil {
			return nil, fmt.Errorf("history of %s: the edit of %s: %w", p.What, when, err)
		}
	}
	if at >= 0 && version(entries) != p.Edits[at].Version {
		return nil, fmt.Errorf("history of %s: version %s can't be worked out: entries are missing or were edited", p.What, p.Edits[at].Version)
	}
	return entries, nil
}

// undo undoes an edit.
func undo(entries map[string]string, e Edit) error {
	for _, c := range e.Changes {
		value, is := entries[c.Label]
		if is != (c.After != nil) || is && value != *c.After {
			return errors.New("the content after it is not the one that it led to")
		}
		if delete(entries, c.Label); c.Before != nil {
			entries[c.Label] = *c.Before
		}
	}
	return nil
}

// Differences lists how one content differs from another, sorted by label.
func Differences(before, after map[string]string) []EntryChange {
	var out []EntryChange
	both := maps.Clone(before)
	maps.Copy(both, after)
	for _, label := range slices.Sorted(maps.Keys(both)) {
		was, had := before[label]
		now, has := after[label]
		if had && has && was == now {
			continue
		}
		c := EntryChange{Label: label}
		if had {
			c.Before = &was
		}
		if has {
			c.After = &now
		}
		out = append(out, c)
	}
	return out
}
