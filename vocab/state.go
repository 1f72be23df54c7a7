package vocab

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// state identifies the content of a hash. It also changes when only the order of
// the fields does; then the hash is read once without need.
type state struct {
	entries int64  // noHash if the key is not a hash
	digest  string // of the content
	bytes   int64  // that it takes in Redis, if that is more than maxBytes; then it is not read
	emptied bool   // there are no entries because somebody removed them on purpose
	unsaved bool   // the history does not have it yet
}

const noHash = -1

// lookLua begins scripts that read a hash, whose first arguments are the most entries
// and the most bytes that it may have. A hash with more is measured but not read.
const lookLua = `
local kind = redis.call('TYPE', KEYS[1]).ok
local isHash = kind == 'hash' or kind == 'none'
local entries = isHash and redis.call('HLEN', KEYS[1]) or -1
local bytes = isHash and redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', '0') or 0
if bytes <= tonumber(ARGV[2]) then bytes = 0 end
local large = bytes > 0 or entries > tonumber(ARGV[1])
`

// stateScript computes the digest inside Redis, so that checking ten thousand
// entries transfers forty bytes. The note that it is empty on purpose is deleted once
// there is an entry, whoever added it.
var stateScript = redis.NewScript(lookLua + `
if not isHash then return {-1, '', 0, 0, 0} end
local emptied = redis.call('EXISTS', KEYS[2])
if entries > 0 and emptied == 1 then redis.call('DEL', KEYS[2]) end
if large then return {entries, '', 0, 0, bytes} end
local digest = redis.sha1hex(table.concat(redis.call('HGETALL', KEYS[1]), '\0'))
local recorded = redis.call('TYPE', KEYS[3]).ok == 'hash' and redis.call('HGET', KEYS[3], 'digest')
local unsaved = recorded ~= digest and (recorded or entries > 0)
return {entries, digest, emptied, unsaved and 1 or 0, 0}`)

// state returns the hash's state without transferring its content.
func (h *Hash) state(ctx context.Context) (state, error) {
	answer, err := stateScript.Run(ctx, h.Client, []string{h.Key(), h.emptied(), h.recording()}, h.Most, maxBytes).Slice()
	if err != nil {
		return state{}, fmt.Errorf("look at %s: %w", h.What, err)
	}
	out, err := parseState(answer)
	if err != nil {
		return state{}, fmt.Errorf("look at %s: %w", h.What, err)
	}
	return out, nil
}

func parseState(answer []any) (state, error) {
	if len(answer) == 5 {
		entries, isCount := answer[0].(int64)
		digest, isHash := answer[1].(string)
		emptied, isFlag := answer[2].(int64)
		unsaved, isAnother := answer[3].(int64)
		bytes, isSize := answer[4].(int64)
		if isCount && isHash && isFlag && isAnother && isSize {
			return state{entries, digest, bytes, entries == 0 && emptied == 1, unsaved == 1}, nil
		}
	}
	return state{}, errors.New("unexpected form of Redis's answer")
}
