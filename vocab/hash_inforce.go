package vocab

import (
	"context"
	"fmt"
)

// maxWorkers bounds the announcements about one hash, one for each worker.
const maxWorkers = 1000

// Announce stores in Redis, for Announced, what a worker has in force of the hash. It
// counts for three times AnnounceEvery.
func (h *Hash) Announce(ctx context.Context, worker string, what any) error {
	if err := announce(ctx, h.Client, h.key("-in-force"), worker, what, maxWorkers); err != nil {
		return fmt.Errorf("announce %s: %w", h.What, err)
	}
	return nil
}

// Announced are what workers have announced, as JSON. Anyone may have written them.
func (h *Hash) Announced(ctx context.Context) ([]string, error) {
	all, err := announcements(ctx, h.Client, h.key("-in-force"), maxWorkers)
	if err != nil {
		return nil, fmt.Errorf("read what is in force of %s: %w", h.What, err)
	}
	return all, nil
}

// Withdraw takes back what a worker has announced.
func (h *Hash) Withdraw(ctx context.Context, worker string) error {
	return h.Client.HDel(ctx, h.key("-in-force"), worker).Err()
}
