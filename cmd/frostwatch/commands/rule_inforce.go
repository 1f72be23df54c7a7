package commands

import (
	"context"
	"strings"
)

// writeRulesInForce waits until the workers that evaluate rules have those in Redis in
// force, and says which have. It returns whether all do, and there are any.
func (d *ruleDesk) writeRulesInForce(ctx context.Context, b *strings.Builder, names ...string) (bool, error) {
	f, err := d.AwaitForce(ctx, names...)
	if err != nil {
		return false, err
	}
	f.Write(b)
	return f.Whole(), nil
}
