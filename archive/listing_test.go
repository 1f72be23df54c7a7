package archive

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// A folder can be listed while a stage writes segments and retention deletes them.
func TestAFolderIsListedWhileItIsWritten(t *testing.T) {
	b := bucket(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			key := fmt.Sprintf("actions/2026-11-28/p%02d/x.parquet", i%12)
			if err := errors.Join(b.put(ctx, key, []byte("x")), b.remove(ctx, key)); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 2000 {
		if err := b.list(t.Context(), "actions/", true, func(object) error { return nil }); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
