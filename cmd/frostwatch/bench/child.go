package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// child is another process of this program that runs one of its commands while
// this one measures.
type child struct {
	cmd     *exec.Cmd
	stop    context.CancelFunc
	out     io.ReadCloser
	lines   *bufio.Scanner
	drained sync.Once
	over    chan struct{} // closed once the output has ended, which is being drained
}

// startChild runs `frostwatch args...` until ctx ends or end is called.
func (b *bench) startChild(ctx context.Context, args ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second // after which it is killed
	cmd.Stderr = b.Err
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return &child{cmd: cmd, stop: stop, out: out, lines: bufio.NewScanner(out), over: make(chan struct{})}, nil
}

// line is the child's next line of output.
func (c *child) line() (string, error) {
	if c.lines.Scan() {
		return c.lines.Text(), nil
	}
	return "", errors.Join(errors.New("it ended early"), c.lines.Err())
}

// drain discards the rest of the output, so that a full pipe does not hold up
// the child. line must not be called after it.
func (c *child) drain() {
	c.drained.Do(func() {
		go func() {
			defer close(c.over)
			_, _ = io.Copy(io.Discard, c.out) // an error shows in how the child ends
		}()
	})
}

// end interrupts the child and waits for it.
func (c *child) end() error {
	c.stop()
	c.drain()
	<-c.over
	err := c.cmd.Wait()
	if errors.Is(err, context.Canceled) {
		return nil // ended by stop, with exit status 0
	}
	return err
}
