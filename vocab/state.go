package vocab

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// state identifies the content of a hash. It also changes if only the order of
// the fields does, which costs no more than an unnecessary reading.
type state struct {
	labels  int64  // noHash where the key holds something else
	digest  string // of the content
	emptied bool   // there are no labels, and that is meant
}

const noHash = -1

// stateScript hashes the content where the content is: a look at ten thousand
// labels costs forty bytes. What is too large is counted and not read. A note
// that an empty vocabulary is meant ends with the first label, whoever adds it.
var stateScript = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then return {-1, '', 0} end
local labels = redis.call('HLEN', KEYS[1])
local emptied = redis.call('EXISTS', KEYS[2])
if labels > 0 and emptied == 1 then redis.call('DEL', KEYS[2]) end
if labels > tonumber(ARGV[1]) then return {labels, '', 0} end
return {labels, redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[1]), '\0')), emptied}`)

// state looks at a vocabulary without reading it.
func (s *Store) state(ctx context.Context, name string) (state, error) {
	answer, err := stateScript.Run(ctx, s.client, []string{s.Key(name), s.emptied(name)}, maxLabels).Slice()
	if err != nil {
		return state{}, fmt.Errorf("look at vocabulary %s: %w", name, err)
	}
	out, err := parseState(answer)
	if err != nil {
		return state{}, fmt.Errorf("look at vocabulary %s: %w", name, err)
	}
	return out, nil
}

func parseState(answer []any) (state, error) {
	if len(answer) == 3 {
		labels, isCount := answer[0].(int64)
		digest, isHash := answer[1].(string)
		emptied, isFlag := answer[2].(int64)
		if isCount && isHash && isFlag {
			return state{labels, digest, labels == 0 && emptied == 1}, nil
		}
	}
	return state{}, errors.New("redis answers in a form that is not known")
}
