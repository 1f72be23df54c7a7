package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// A cached embedding is kept for as long as somebody uses its text, so that the
// cache does not grow for ever: a sorted set beside the hash says until when.
const (
	// keepAsked is for a text that somebody asked for once.
	keepAsked = 24 * time.Hour
	// keepUsed is for a text of a vocabulary or a base class, from the day it was
	// last in use: people change their minds.
	keepUsed = 30 * 24 * time.Hour
	// renewUsed is how often those in use are noted.
	renewUsed = 24 * time.Hour
	// keepFound is for entries that nobody noted: of an older version, or foreign.
	keepFound = 7 * 24 * time.Hour
	// cacheCap is how many are kept, some 100 MB at 512 numbers. Those in use do
	// not count against it: they are never dropped for want of room.
	cacheCap = 50_000
	// pruneAfter is how many may be added before the cache is pruned.
	pruneAfter = 1000
	// leaseChunk bounds what one script does, as Redis does nothing else meanwhile.
	leaseChunk = 500
)

// noteScript keeps entries for ARGV[1] seconds from now, or longer where that was
// noted before.
var noteScript = redis.NewScript(`
local till = redis.call('TIME')[1] + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'GT', till, ARGV[i]) end
return 1`)

// note keeps the embeddings of texts for some time.
func (c cache) note(ctx context.Context, texts []string, keep time.Duration) error {
	for chunk := range slices.Chunk(texts, leaseChunk) {
		args := []any{int64(keep.Seconds())}
		for _, t := range chunk {
			args = append(args, field(t))
		}
		if err := noteScript.Run(ctx, c.client, []string{c.leases()}, args...).Err(); err != nil {
			return fmt.Errorf("note cached embeddings in use: %w", err)
		}
	}
	return nil
}

func (c cache) leases() string { return c.key + ":until" }

// pruneScript drops at most ARGV[3] entries: those that nobody has used for long,
// then what exceeds ARGV[1] entries, the one to go soonest first, but none whose
// time is longer than ARGV[2] seconds.
var pruneScript = redis.NewScript(`
local now = redis.call('TIME')[1] + 0
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[3])
if #gone == 0 then
	local over = redis.call('ZCARD', KEYS[2]) - ARGV[1]
	if over > 0 then
		gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now + ARGV[2], 'LIMIT', 0, math.min(over, ARGV[3] + 0))
	end
end
for _, f in ipairs(gone) do
	redis.call('HDEL', KEYS[1], f)
	redis.call('ZREM', KEYS[2], f)
end
return #gone`)

// adoptScript notes entries that nobody noted, and returns where to go on.
var adoptScript = redis.NewScript(`
local till = redis.call('TIME')[1] + ARGV[2]
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[3])
for i = 1, #found[2], 2 do redis.call('ZADD', KEYS[2], 'NX', till, found[2][i]) end
return found[1]`)

// prune drops what is not kept any longer and what exceeds most.
func (c cache) prune(ctx context.Context, most int) error {
	if err := c.adopt(ctx); err != nil {
		return fmt.Errorf("prune cached embeddings: %w", err)
	}
	inUse := keepUsed - 2*renewUsed // what is in use was noted within two of its intervals
	for {
		n, err := pruneScript.Run(ctx, c.client, []string{c.key, c.leases()}, most, int64(inUse.Seconds()), leaseChunk).Int()
		if err != nil {
			return fmt.Errorf("prune cached embeddings: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// adopt notes what was written without a note, by an older version or a person.
func (c cache) adopt(ctx context.Context) error {
	held, err := c.client.HLen(ctx, c.key).Result()
	if err != nil {
		return err
	}
	noted, err := c.client.ZCard(ctx, c.leases()).Result()
	if err != nil || held <= noted {
		return err
	}
	for cursor := "0"; ; {
		cursor, err = adoptScript.Run(ctx, c.client, []string{c.key, c.leases()}, cursor, int64(keepFound.Seconds()), leaseChunk).Text()
		if err != nil || cursor == "0" {
			return err
		}
	}
}
