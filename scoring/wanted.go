package scoring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/topics"
)

// A process without the model asks for embeddings of texts through a list in
// Redis, one for each model: a sorted set of texts, ordered by the time in Unix
// milliseconds at which each expires. Workers that have the model take texts from
// it, put their embeddings into the cache and publish that on a channel.
const (
	// maxWanted bounds the texts on the list.
	maxWanted = 256
	// maxText bounds one text, in bytes. Texts of labels are shorter.
	maxText = 8192
	// wantedTime is how long a text stays on the list.
	wantedTime = 10 * time.Second
)

// wanted is the list for one model.
type wanted struct {
	client redis.UniversalClient
	prefix string
	model  string
}

func (w wanted) key() string { return w.prefix + "wanted:" + w.model }

// asked is the channel for messages that texts were put on the list, answered the
// one for messages that a text is embedded or refused.
func (w wanted) asked() string    { return w.prefix + "wanted-asked:" + w.model }
func (w wanted) answered() string { return w.prefix + "wanted-answered:" + w.model }

// checkText refuses texts that are never passed to a model.
func checkText(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("it is empty")
	case len(text) > maxText:
		return fmt.Errorf("it is %d bytes: at most %d", len(text), maxText)
	case !utf8.ValidString(text):
		return errors.New("it is not UTF-8")
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("it has a control character in it")
	}
	return nil
}

// askScript puts texts on the list while there is room. It returns how many of
// them are on it, and how many workers with the model listen.
var askScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' then redis.call('DEL', KEYS[1]) end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local room = ARGV[3] - redis.call('ZCARD', KEYS[1])
local there = 0
for i = 4, #ARGV do
	if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
		there = there + 1
	elseif room > 0 then
		redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i])
		there, room = there + 1, room - 1
	end
end
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[2])
return {there, redis.call('PUBLISH', ARGV[1], '')}`)

// ask puts texts on the list. waiting is how many of them are on it now, heard
// how many workers with the model listen.
func (w wanted) ask(ctx context.Context, texts []string) (waiting, heard int64, err error) {
	args := []any{w.asked(), wantedTime.Milliseconds(), maxWanted}
	for _, t := range texts {
		args = append(args, t)
	}
	answer, err := askScript.Run(ctx, w.client, []string{w.key()}, args...).Int64Slice()
	if err != nil || len(answer) != 2 {
		return 0, 0, fmt.Errorf("ask for texts: %w", err)
	}
	return answer[0], answer[1], nil
}

// takeScript takes the ARGV[1] texts that expire first. Anyone may have written to
// the list, so it first deletes texts that have expired and those beyond ARGV[2],
// and does not return texts longer than ARGV[3] bytes.
var takeScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return {} end
if kind ~= 'zset' then redis.call('DEL', KEYS[1]) return {} end
local t = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[2], -1)
local taken, out = redis.call('ZPOPMIN', KEYS[1], ARGV[1]), {}
for i = 1, #taken, 2 do
	if #taken[i] <= tonumber(ARGV[3]) then out[#out + 1] = taken[i] end
end
return out`)

// take takes at most n texts from the list.
func (w wanted) take(ctx context.Context, n int) ([]string, error) {
	texts, err := takeScript.Run(ctx, w.client, []string{w.key()}, n, maxWanted, maxText).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("take texts that are asked for: %w", err)
	}
	return texts, nil
}

// answer publishes that a text is in the cache, or why the model refuses it.
func (w wanted) answer(ctx context.Context, text string, refused error) error {
	message := field(text)
	if refused != nil {
		message += " " + topics.Clean(refused.Error())
	}
	return w.client.Publish(ctx, w.answered(), message).Err()
}

// readAnswer parses an answer: the field of a text in the cache and, unless it is
// empty, why it was refused.
func readAnswer(message string) (field, refused string) {
	field, refused, _ = strings.Cut(message, " ")
	return field, topics.Clean(refused)
}
