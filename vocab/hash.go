package vocab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/topics"
)

// Hash is a Redis hash that people edit while everything runs, with the history of
// its edits: a vocabulary, or the rules in Redis. Anything else that writes the hash
// edits it as well; a Follower sees a Hash's edits at once, others at its next poll.
// Its keys are <prefix><kind>, <prefix><kind>-history and so on, each followed by a
// colon and the name if there is one.
type Hash struct {
	HashOptions
	who, note    string // for the history, see By
	historyBytes int    // bounds the history, see maxHistoryBytes
}

// HashOptions are all required but Prefix and Name. The caller closes the client.
type HashOptions struct {
	Client redis.UniversalClient
	Prefix string // of every key
	Kind   string // such as "vocab"
	Name   string // of one of several of that kind
	What   string // what errors call it, such as "vocabulary default"
	Items  string // what errors call its entries, such as "labels"
	Most   int64  // entries; a hash with more is not read
}

// NewHash reads and writes nothing yet.
func NewHash(o HashOptions) *Hash {
	return &Hash{HashOptions: o, who: "frostwatch", historyBytes: maxHistoryBytes}
}

// By returns a Hash whose edits are recorded as made by somebody, with a note such
// as the command that was used.
func (h *Hash) By(who, note string) *Hash {
	out := *h
	out.who, out.note = topics.Clean(who), topics.Clean(note)
	return &out
}

// Key is the key of the hash itself.
func (h *Hash) Key() string { return h.key("") }

func (h *Hash) key(suffix string) string {
	key := h.Prefix + h.Kind + suffix
	if h.Name != "" {
		key += ":" + h.Name
	}
	return key
}

// emptied is the key that exists while the hash is empty on purpose.
func (h *Hash) emptied() string { return h.key("-emptied") }

// recording is the key of a hash that says what the key -recorded holds: the digest
// of the content it was copied from, how many entries that has, and how many bytes
// the history has.
func (h *Hash) recording() string { return h.key("-recording") }

func (h *Hash) history() string { return h.key("-history") }

// hint is the channel on which the name is published after an edit.
func (h *Hash) hint() string { return h.Prefix + h.Kind + "-edited" }

// recordKeys are the keys of all scripts that record.
func (h *Hash) recordKeys() []string {
	return []string{h.Key(), h.key("-recorded"), h.recording(), h.history(), h.emptied()}
}

// Read reads the content, but not whether it is empty on purpose.
func (h *Hash) Read(ctx context.Context) (Content, error) {
	c, err := h.content(ctx)
	if err != nil {
		return Content{}, h.explain("read", err)
	}
	return Content{Entries: c.entries, Version: version(c.entries)}, nil
}

// changeScript makes an edit if the content is still the one of the digest, and
// records it. It first records what others have changed without recording it.
var changeScript = redis.NewScript(recordLua + `
local _, expected, before, after, by, note, channel, name, external, sets = unpack(ARGV, 1, 10)
local now = digest()
if now ~= expected then return 0 end
record(now, external, before, true)
local changes, dels = {}, 11 + 2 * tonumber(sets)
for i = 11, dels - 1, 2 do
	changes[#changes + 1] = {ARGV[i], redis.call('HGET', hash, ARGV[i]), ARGV[i + 1]}
	redis.call('HSET', hash, ARGV[i], ARGV[i + 1])
end
for i = dels, #ARGV do
	changes[#changes + 1] = {ARGV[i], redis.call('HGET', hash, ARGV[i]), false}
	redis.call('HDEL', hash, ARGV[i])
end
local labels = redis.call('HLEN', hash)
if labels > 0 then redis.call('DEL', emptied) else redis.call('SET', emptied, 'on purpose') end
if #changes > 0 then
	append({'by', by, 'note', note, 'version', after, 'labels', tostring(labels)}, changes)
	keep(changes, digest())
end
redis.call('PUBLISH', channel, name)
return 1`)

// attempts is how often an edit is tried anew because somebody else has edited the
// hash meanwhile.
const attempts = 20

// Edit changes the entries to what plan makes of them: all of it or nothing. plan
// may be called several times. An edit that removes every entry counts as meant.
func (h *Hash) Edit(ctx context.Context, plan func(entries map[string]string) (after map[string]string, err error)) error {
	for range attempts {
		c, err := h.content(ctx)
		if err != nil {
			return h.explain("edit", err)
		}
		after, err := plan(maps.Clone(c.entries))
		if err != nil {
			return err
		}
		if err := h.checkSize(int64(len(after)), bytesOf(after)); err != nil {
			return err
		}
		done, err := changeScript.Run(ctx, h.Client, h.recordKeys(), h.arguments(c, after)...).Bool()
		if err != nil {
			return h.explain("edit", err)
		}
		if done {
			return nil
		}
	}
	return h.explain("edit", errors.New("others edit it at the same time: try again"))
}

// arguments are those of changeScript.
func (h *Hash) arguments(before content, after map[string]string) []any {
	var sets, dels []any
	for _, field := range slices.Sorted(maps.Keys(after)) {
		if was, is := before.entries[field]; !is || was != after[field] {
			sets = append(sets, field, after[field])
		}
	}
	for _, field := range slices.Sorted(maps.Keys(before.entries)) {
		if _, is := after[field]; !is {
			dels = append(dels, field)
		}
	}
	head := []any{h.historyBytes, before.digest, version(before.entries), version(after), h.who, h.note, h.hint(), h.Name, External, len(sets) / 2}
	return slices.Concat(head, sets, dels)
}

// Clear removes all entries, and notes until there are others that the hash is empty
// on purpose. It also clears a key that can't be read; such an edit is not recorded.
func (h *Hash) Clear(ctx context.Context) error {
	err := h.Edit(ctx, func(map[string]string) (map[string]string, error) { return nil, nil })
	if IsUnreadable(err) {
		return h.unrecorded(ctx, func(p redis.Pipeliner) {
			p.Del(ctx, h.Key())
			p.Set(ctx, h.emptied(), "on purpose", 0)
		})
	}
	return err
}

// Restore makes the entries, as they are, the whole content.
func (h *Hash) Restore(ctx context.Context, entries map[string]string) error {
	return h.Edit(ctx, func(map[string]string) (map[string]string, error) { return entries, nil })
}

// unrecorded makes an edit without recording it.
func (h *Hash) unrecorded(ctx context.Context, change func(redis.Pipeliner)) error {
	_, err := h.Client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		change(p)
		p.Publish(ctx, h.hint(), h.Name)
		return nil
	})
	if err != nil {
		return h.explain("edit", err)
	}
	return nil
}

// explain says what was being done when Redis returned an error.
func (h *Hash) explain(doing string, err error) error {
	if tooLarge := new(sizeError); errors.As(err, &tooLarge) {
		return err // names the hash itself
	}
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		err = h.wrongType()
	}
	return fmt.Errorf("%s %s: %w", doing, h.What, err)
}

var errNoHash = errors.New("is not a hash")

func (h *Hash) wrongType() error {
	return fmt.Errorf("the key %s %w: check what it is, then delete it and add the %s again", h.Key(), errNoHash, h.Items)
}

// maxBytes bounds the memory that a hash takes in Redis, where anyone may write it.
// With each look Redis digests all of it, and does nothing else meanwhile.
const maxBytes = 16 << 20

// bytesOf is how many bytes entries would take in Redis: a little more rather than less.
func bytesOf(entries map[string]string) (n int64) {
	for field, value := range entries {
		n += 128 + int64(len(field)+len(value))*5/4
	}
	return n
}

// checkSize refuses a hash with too many entries, or too large ones.
func (h *Hash) checkSize(entries, bytes int64) error {
	switch {
	case entries > h.Most:
		return &sizeError{text: fmt.Sprintf("%s: %d %s, at most %d", h.What, entries, h.Items, h.Most)}
	case bytes > maxBytes:
		return &sizeError{long: true, text: fmt.Sprintf("%s: %d %s of %d MB in all, at most %d MB: remove the long ones with redis-cli (HDEL %s NAME; HSTRLEN says how long a value is)",
			h.What, entries, h.Items, bytes>>20, maxBytes>>20, h.Key())}
	}
	return nil
}

// sizeError means that a hash is too large to be read.
type sizeError struct {
	text string
	long bool // not because of too many entries
}

func (e *sizeError) Error() string { return e.text }

// IsUnreadable is whether an error means that a hash is too large to be read, or that
// its key is no hash. Its entries can be removed all the same.
func IsUnreadable(err error) bool {
	return errors.As(err, new(*sizeError)) || errors.Is(err, errNoHash)
}
