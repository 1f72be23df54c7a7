package archive

import (
	"context"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The stage goes on while the archive is checked.
func TestCheckBesideTheStage(t *testing.T) {
	k, b := recorded(t, 9000, hour), bucket(t)
	archived(t, k, b, 1, -1, 4096)
	committing := func(_ context.Context, group, _ string) (map[int]int64, error) {
		if group != "archive-actions" {
			return nil, nil
		}
		archived(t, k, b, 1, 4096, 8192)
		return map[int]int64{1: 8192}, nil
	}
	r, err := Check(t.Context(), CheckOptions{Bucket: b, Names: names, Group: "archive", Log: k, Committed: committing})
	must(t, err)
	if r.Rows != 8192 || len(r.Faults) > 0 {
		t.Errorf("%d rows, faults %+v", r.Rows, r.Faults)
	}
}
