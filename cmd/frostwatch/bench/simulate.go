package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// simulate serves films as cameras, from another process, and returns their URLs. Each
// begins when it is first read, so that their keyframes don't all come at once.
func (b *bench) simulate(ctx context.Context, films []string) (sim *child, urls []string, err error) {
	dir, err := os.MkdirTemp(b.dir, "cameras-*")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for the simulated cameras: %w", err)
	}
	args := []string{"camsim", "--listen", "127.0.0.1:0", "--gap", "0s", "--on-demand"}
	for i, film := range films {
		if film, err = filepath.Abs(film); err != nil {
			return nil, nil, err
		}
		link := filepath.Join(dir, fmt.Sprintf("camera-%d%s", i+1, filepath.Ext(film)))
		if err := os.Symlink(film, link); err != nil {
			return nil, nil, err
		}
		args = append(args, link)
	}
	if sim, err = b.startChild(ctx, args...); err != nil {
		return nil, nil, err
	}
	for range films {
		url, err := sim.line()
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("start camsim: %w", err), sim.end())
		}
		urls = append(urls, url)
	}
	return sim, urls, nil
}
