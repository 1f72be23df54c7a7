package vocab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// The history of a hash is a Redis stream beside its hash. A second hash holds
// the content that was last recorded, so that whoever notices a difference can record
// it: a Hash with its own edits, a Follower those that were made with other programs.
// Both compare and append in one script, and so each edit is recorded once, however
// many workers watch.

// Bounds on a history. What is beyond them is forgotten, the oldest first.
const (
	maxHistory      = 10_000   // entries of the stream
	maxHistoryBytes = 32 << 20 // of all entries together, in Redis's memory
	// maxPart bounds the changes in one entry, because Lua passes at most 8000
	// arguments to a command. A larger edit is several entries.
	maxPart = 500
)

// recordLua defines what scripts that record have in common; their first argument is
// the most bytes that a history may have. record appends how the hash, whose digest
// is given, differs from what was recorded last. Where that is not known, the history
// begins anew, but for an empty hash only if always is set. In an entry, "-label" is
// followed by the value before the edit, "+label" by the one after it.
var recordLua = fmt.Sprintf(`
local hash, recorded, recording, history, emptied = unpack(KEYS)
local mostEntries, mostBytes, mostChanges = %d, tonumber(ARGV[1]), %d

for key, want in pairs({[recorded] = 'hash', [recording] = 'hash', [history] = 'stream'}) do
	if redis.call('TYPE', key).ok ~= want then redis.call('DEL', key) end -- anyone may have written it
end

local function digest()
	return redis.sha1hex(table.concat(redis.call('HGETALL', hash), '\0'))
end

local function values(key)
	local flat, out = redis.call('HGETALL', key), {}
	for i = 1, #flat, 2 do out[flat[i]] = flat[i + 1] end
	return out
end

local function differences(was, now)
	local out = {}
	for field, value in pairs(now) do
		if was[field] ~= value then out[#out + 1] = {field, was[field] or false, value} end
	end
	for field, value in pairs(was) do
		if not now[field] then out[#out + 1] = {field, value, false} end
	end
	table.sort(out, function(a, b) return a[1] < b[1] end)
	return out
end

local function append(head, changes)
	local bytes = tonumber(redis.call('HGET', recording, 'bytes')) or 0
	if redis.call('EXISTS', history) == 0 then bytes = 0 end
	local parts = math.max(1, math.ceil(#changes / mostChanges))
	for part = 1, parts do
		local entry, size = {'part', part .. '/' .. parts}, 100
		local function put(key, value)
			entry[#entry + 1], entry[#entry + 2] = key, value
			size = size + #key + #value + 8
		end
		for i = 1, #head, 2 do put(head[i], head[i + 1]) end
		for i = (part - 1) * mostChanges + 1, math.min(part * mostChanges, #changes) do
			local field, before, after = unpack(changes[i])
			if before then put('-' .. field, before) end
			if after then put('+' .. field, after) end
		end
		redis.call('XADD', history, '*', 'size', size, unpack(entry))
		bytes = bytes + size
	end
	local length = redis.call('XLEN', history)
	while length > 1 and (length > mostEntries or bytes > mostBytes) do
		local oldest = redis.call('XRANGE', history, '-', '+', 'COUNT', 1)[1]
		redis.call('XDEL', history, oldest[1])
		bytes, length = bytes - (tonumber(oldest[2][2]) or 0), length - 1
	end
	redis.call('HSET', recording, 'bytes', bytes)
end

local function keep(changes, digest)
	for _, change in ipairs(changes) do
		if change[3] then redis.call('HSET', recorded, change[1], change[3]) else redis.call('HDEL', recorded, change[1]) end
	end
	redis.call('HSET', recording, 'digest', digest, 'labels', redis.call('HLEN', hash))
end

local function record(digest, by, version, always)
	local known, labels = redis.call('HMGET', recording, 'digest', 'labels'), redis.call('HLEN', hash)
	if known[1] == digest or labels == 0 and not known[1] and not always then return end
	local was, changes = values(recorded)
	if known[1] and tonumber(known[2]) == redis.call('HLEN', recorded) then
		changes = differences(was, values(hash))
		if #changes > 0 then append({'by', by, 'version', version, 'labels', tostring(labels)}, changes) end
	else
		redis.call('DEL', recorded)
		append({'begins', '1', 'version', version, 'labels', tostring(labels)}, {})
		changes = differences({}, values(hash))
	end
	keep(changes, digest)
end
`, maxHistory, maxPart)

// External is who made an edit with another program than Frostwatch.
const External = "external"

// recordScript records what was edited with other programs, if the content is still
// the one of the digest.
var recordScript = redis.NewScript(recordLua + `
local now = digest()
if now == ARGV[2] then record(now, ARGV[4], ARGV[3], false) end
return 1`)

// record records the content with that digest and version as edited by External,
// unless it is recorded already, or the hash has another content by now.
func (h *Hash) record(ctx context.Context, digest, version string) error {
	err := recordScript.Run(ctx, h.Client, h.recordKeys(), h.historyBytes, digest, version, External).Err()
	if err != nil {
		return fmt.Errorf("record the history of %s: %w", h.What, err)
	}
	return nil
}

// content is what a hash held at one moment.
type content struct {
	digest  string // as in state
	entries map[string]string
}

// contentScript reads a hash and its digest at the same moment.
var contentScript = redis.NewScript(lookLua + `
if large or not isHash then return {entries, '', {}, bytes} end
local flat = redis.call('HGETALL', KEYS[1])
return {entries, redis.sha1hex(table.concat(flat, '\0')), flat, 0}`)

func (h *Hash) content(ctx context.Context) (content, error) {
	answer, err := contentScript.Run(ctx, h.Client, []string{h.Key()}, h.Most, maxBytes).Slice()
	if err != nil {
		return content{}, err
	}
	if len(answer) == 4 {
		entries, isCount := answer[0].(int64)
		digest, isHash := answer[1].(string)
		flat, isList := answer[2].([]any)
		bytes, isSize := answer[3].(int64)
		switch {
		case !isCount || !isHash || !isList || !isSize:
		case entries == noHash:
			return content{}, h.wrongType()
		default:
			return content{digest, pairs(flat)}, h.checkSize(entries, bytes)
		}
	}
	return content{}, errors.New("unexpected form of Redis's answer")
}

// pairs makes a map of fields and values in turn.
func pairs(flat []any) map[string]string {
	out := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		field, _ := flat[i].(string)
		value, _ := flat[i+1].(string)
		out[field] = value
	}
	return out
}

// timeOf is the time in a stream entry's id, which Redis's clock gave it.
func timeOf(id string) (at time.Time) {
	var ms int64
	if _, err := fmt.Sscanf(id, "%d-", &ms); err == nil {
		at = time.UnixMilli(ms)
	}
	return at
}
