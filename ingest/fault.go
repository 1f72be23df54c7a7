package ingest

import (
	"context"

	"github.com/frostwatch/frostwatch/media"
)

// dnsFault is for a host name that does not resolve.
func dnsFault(ctx context.Context, host string) error {
	if ctx.Err() != nil {
		return media.NewFault(media.KindTimeout, "looking up host %s takes too long", host)
	}
	return media.NewFault(media.KindUnreachable, "no such host: %s", host)
}
