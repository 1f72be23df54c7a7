package vocab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/topics"
)

// InForce says which version of a vocabulary the workers with one model score
// clips against. Version is empty while they have none yet.
type InForce struct {
	Model   string `json:"model"`         // id
	Dim     int    `json:"dim,omitempty"` // length of the model's vectors
	Version string `json:"version"`       // of the vocabulary
	Labels  int    `json:"labels"`        // how many are recognised
	// Skipped are labels that are not recognised, and why: the first few of
	// SkippedTotal.
	Skipped      []string `json:"skipped,omitempty"`
	SkippedTotal int      `json:"skipped_total,omitempty"`
	// Reads is how the model reads labels; nil: of an older version, which does not say it.
	Reads *Reads `json:"reads,omitempty"`
	// Pending is the newer version that is being embedded, if any.
	Pending *Pending `json:"pending,omitempty"`
}

// Reads is how much of a label a model reads.
type Reads struct {
	Tokens int `json:"tokens"` // of a text, start and end included
	// Template is what is put around a label, of several the longest: {label}, {text} and
	// {description} stand in it for the parts of a text.
	Template string `json:"template"`
	// Cuts: of a text that is too long the beginning is read. Else it is skipped.
	Cuts bool `json:"cuts,omitempty"`
}

// Pending is a version that comes into force once its texts are embedded.
type Pending struct {
	Version  string `json:"version"`
	Embedded int    `json:"embedded"` // how many of Texts are done
	Texts    int    `json:"texts"`    // how many texts are new in this version
}

const (
	// AnnounceEvery is how often workers announce what is in force.
	AnnounceEvery = 15 * time.Second
	// announced is how long an announcement counts.
	announced = 3 * AnnounceEvery
	// maxModels bounds the announcements about one vocabulary, one for each
	// model.
	maxModels     = 32
	maxAnnounced  = 16 << 10 // bytes of one announcement
	maxSkippedOut = 10
)

// NewInForce announces that workers with a model score against v. Its texts are
// fit to be shown.
func NewInForce(model string, v Vocabulary) InForce {
	f := InForce{Model: model, Version: v.Version, Labels: len(v.Labels), SkippedTotal: len(v.Problems)}
	for _, p := range v.Problems[:min(maxSkippedOut, len(v.Problems))] {
		f.Skipped = append(f.Skipped, topics.Clean(p.String()))
	}
	return f
}

// ReadsOf is how the model that reads the least of a text reads it, of those that say so;
// the zero value: none does.
func ReadsOf(force []InForce) (least Reads) {
	for _, f := range force {
		if f.Reads != nil && f.Reads.Tokens > 0 && (least.Tokens == 0 || f.Reads.Tokens < least.Tokens) {
			least = *f.Reads
		}
	}
	return least
}

func (s *Store) inForce(name string) string { return s.prefix + "vocab-in-force:" + name }

// announceScript stores one value for each model or worker, preceded by the time in
// seconds, and deletes values that are too old or malformed.
var announceScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then redis.call('DEL', KEYS[1]) end
local now = redis.call('TIME')[1]
local held = redis.call('HGETALL', KEYS[1])
for i = 1, #held, 2 do
	local at = tonumber(string.match(held[i + 1], '^(%d+) '))
	if not at or at + ARGV[3] < now + 0 or at > now + 1 then redis.call('HDEL', KEYS[1], held[i]) end
end
if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[4]) or redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
	redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[2])
end
return redis.call('EXPIRE', KEYS[1], ARGV[3])`)

// Announce stores what is in force in Redis, where InForce reads it.
func (s *Store) Announce(ctx context.Context, name string, f InForce) error {
	if err := announce(ctx, s.client, s.inForce(name), f.Model, f, maxModels); err != nil {
		return fmt.Errorf("announce vocabulary %s: %w", name, err)
	}
	return nil
}

func announce(ctx context.Context, c redis.UniversalClient, key, who string, what any, most int) error {
	raw, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return announceScript.Run(ctx, c, []string{key}, who, raw, int(announced.Seconds()), most).Err()
}

// inForceScript lists the values that are recent and not too large.
var inForceScript = redis.NewScript(`
local out = {}
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('HLEN', KEYS[1]) > tonumber(ARGV[2]) then return out end
local now = redis.call('TIME')[1]
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
	local at = tonumber(string.match(value, '^(%d+) '))
	if at and at + ARGV[1] >= now + 0 and #value <= tonumber(ARGV[3]) then out[#out + 1] = value end
end
return out`)

// announcements are what is stored within the last announced, each as JSON. Anyone may
// have written them.
func announcements(ctx context.Context, c redis.UniversalClient, key string, most int) ([]string, error) {
	values, err := inForceScript.Run(ctx, c, []string{key}, int(announced.Seconds()), most, maxAnnounced).StringSlice()
	for i, v := range values {
		_, values[i], _ = strings.Cut(v, " ") // the time
	}
	return values, err
}

// InForce lists what workers announced within the last announced, sorted by
// model.
func (s *Store) InForce(ctx context.Context, name string) ([]InForce, error) {
	values, err := announcements(ctx, s.client, s.inForce(name), maxModels)
	if err != nil {
		return nil, fmt.Errorf("read what is in force of vocabulary %s: %w", name, err)
	}
	var out []InForce
	for _, v := range values {
		if f, err := readInForce(v); err == nil {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b InForce) int { return strings.Compare(a.Model, b.Model) })
	return out, nil
}

// readInForce parses a value. Anyone may have written it, so its texts are
// cleaned before they are shown.
func readInForce(value string) (f InForce, err error) {
	if err := json.Unmarshal([]byte(value), &f); err != nil {
		return f, err
	}
	if len(f.Skipped) > maxSkippedOut || f.Model == "" {
		return f, errors.New("no model, or too many skipped labels")
	}
	f.Model, f.Version = topics.Clean(f.Model), topics.Clean(f.Version)
	if f.Pending != nil {
		f.Pending.Version = topics.Clean(f.Pending.Version)
	}
	for i, text := range f.Skipped {
		f.Skipped[i] = topics.Clean(text)
	}
	return f, nil
}
