package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// So that the cache does not grow for ever, a sorted set beside the hash holds the
// time until which each embedding is kept, in Unix seconds.
const (
	// keepAsked is for a text that somebody asked for.
	keepAsked = 24 * time.Hour
	// keepUsed is for a text of a vocabulary or a base class, counted from when it
	// was last in use, because labels that are removed often come back.
	keepUsed = 30 * 24 * time.Hour
	// renewUsed is how often the time is extended for those in use.
	renewUsed = 24 * time.Hour
	// keepFound is for entries that have no time, because an older version or
	// another program wrote them.
	keepFound = 7 * 24 * time.Hour
	// cacheCap is how many embeddings are kept: some 100 MB with 512 numbers each.
	// Those in use are never deleted to make room.
	cacheCap = 50_000
	// pruneAfter is how many embeddings may be added before the cache is pruned.
	pruneAfter = 1000
	// scriptChunk bounds what one script does, because Redis serves nobody else
	// while it runs.
	scriptChunk = 500
)

// noteScript keeps entries until ARGV[1] seconds from now, or longer if they
// already have a later time.
var noteScript = redis.NewScript(`
local till = redis.call('TIME')[1] + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'GT', till, ARGV[i]) end
return 1`)

// note keeps the embeddings of texts for at least this long from now.
func (c cache) note(ctx context.Context, texts []string, keep time.Duration) error {
	for chunk := range slices.Chunk(texts, scriptChunk) {
		args := []any{int64(keep.Seconds())}
		for _, t := range chunk {
			args = append(args, field(t))
		}
		if err := c.repaired(ctx, func() error { return noteScript.Run(ctx, c.client, []string{c.times()}, args...).Err() }); err != nil {
			return fmt.Errorf("extend the life of cached embeddings: %w", err)
		}
	}
	return nil
}

// times is the key of the sorted set.
func (c cache) times() string { return c.key + ":until" }

// pruneScript deletes at most ARGV[3] entries: those whose time is over, or else,
// if there are more than ARGV[1] entries, those whose time is over soonest, but
// none with a time more than ARGV[2] seconds from now. It returns how many.
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

// adoptScript gives entries without a time one that is ARGV[2] seconds from now.
// It takes and returns the cursor of a scan.
var adoptScript = redis.NewScript(`
local till = redis.call('TIME')[1] + ARGV[2]
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[3])
for i = 1, #found[2], 2 do redis.call('ZADD', KEYS[2], 'NX', till, found[2][i]) end
return found[1]`)

// prune deletes the embeddings whose time is over, and of the rest those beyond
// most that are not in use.
func (c cache) prune(ctx context.Context, most int) error {
	if err := c.repaired(ctx, func() error { return c.adopt(ctx) }); err != nil {
		return fmt.Errorf("prune cached embeddings: %w", err)
	}
	inUse := keepUsed - 2*renewUsed // the time of what is in use was extended within two intervals
	for {
		n, err := pruneScript.Run(ctx, c.client, []string{c.key, c.times()}, most, int64(inUse.Seconds()), scriptChunk).Int()
		if err != nil {
			return fmt.Errorf("prune cached embeddings: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// adopt gives a time to embeddings that have none.
func (c cache) adopt(ctx context.Context) error {
	held, err := c.client.HLen(ctx, c.key).Result()
	if err != nil {
		return err
	}
	timed, err := c.client.ZCard(ctx, c.times()).Result()
	if err != nil || held <= timed {
		return err
	}
	for cursor := "0"; ; {
		cursor, err = adoptScript.Run(ctx, c.client, []string{c.key, c.times()}, cursor, int64(keepFound.Seconds()), scriptChunk).Text()
		if err != nil || cursor == "0" {
			return err
		}
	}
}
