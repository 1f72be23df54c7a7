package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Command is a program that is run for each notification, without a shell. It gets the
// notification as JSON on its standard input, and PATH, HOME, LANG, TZ and env as its
// environment: not the worker's, which may hold passwords of others.
type Command struct {
	Run     []string                 `yaml:"run"` // the program and its arguments
	Env     map[string]config.Secret `yaml:"env"`
	Timeout time.Duration            `yaml:"timeout"` // 0: 10 s
}

// exitRefused is what a program ends with that can't use a notification; after any
// other failure it is run again. It is EX_DATAERR of BSD's sysexits.
const exitRefused = 65

// maxSaid is how much of a program's output is kept.
const maxSaid = 4 << 10

type command struct {
	Command
	env     []string
	secrets map[string]bool // that no error may hold
}

func newCommand(c Command) (Sender, error) {
	if len(c.Run) == 0 || c.Run[0] == "" {
		return nil, errors.New("command.run: want a program and its arguments, such as [/usr/local/bin/ring, --twice]")
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > attemptTime {
		return nil, fmt.Errorf("command.timeout: %v: want 100ms to %v", c.Timeout, attemptTime)
	}
	run := &command{Command: c, secrets: map[string]bool{}}
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ"} {
		if value, set := os.LookupEnv(name); set {
			run.env = append(run.env, name+"="+value)
		}
	}
	for name, value := range c.Env {
		run.env = append(run.env, name+"="+value.Reveal())
		maps.Copy(run.secrets, secretParts(value.Reveal()))
		run.secrets[value.Reveal()] = true
	}
	return run, nil
}

// ready finds the program, which only workers of this stage need to have.
func (c *command) ready() error {
	_, err := exec.LookPath(c.Run[0])
	return err
}

// Send runs the program.
func (c *command) Send(ctx context.Context, n Notification) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	said := &tail{}
	cmd := exec.CommandContext(ctx, c.Run[0], c.Run[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.env, bytes.NewReader(body), said, said
	cmd.WaitDelay = time.Second // for what it has started, and that still holds its output
	// What it has started ends with it when its time is over, or each attempt would leave some.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	text := topics.Clean(hide(strings.TrimSpace(said.String()), c.secrets))
	if text != "" {
		text = ": " + text
	}
	var ended *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it goes on in the background, as it may
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: it takes longer than %v", c.Run[0], c.Timeout)
	case errors.As(err, &ended) && ended.ExitCode() == exitRefused:
		return fmt.Errorf("%s: %w%s", c.Run[0], ErrRefused, text)
	}
	return fmt.Errorf("%s: %w%s", c.Run[0], err, text)
}

// tail keeps the last bytes that are written to it.
type tail struct {
	b   []byte
	cut bool // there was more before
}

func (t *tail) Write(p []byte) (int, error) {
	t.cut = t.cut || len(t.b)+len(p) > maxSaid
	t.b = append(t.b, p[max(0, len(p)-maxSaid):]...)
	t.b = t.b[max(0, len(t.b)-maxSaid):]
	return len(p), nil
}

// String is what there is, but not the rest of a word that was cut: it may be a secret's.
func (t *tail) String() string {
	text := string(t.b)
	if t.cut {
		text = text[strings.IndexAny(text, " \n")+1:]
	}
	return strings.ToValidUTF8(text, " ")
}
