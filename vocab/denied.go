package vocab

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"
)

// denials is a hook of a client that puts into plain words which right the ACL
// user lacks where Redis denies a command.
type denials struct {
	user string // empty: the default user
}

var _ redis.Hook = denials{}

// DialHook changes nothing.
func (denials) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook explains the error of a command.
func (d denials) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		right := lackingRight(err)
		if right == "" {
			return err
		}
		// Of commands in scripts Redis 7.0 does not say which one it denied. All
		// others that our scripts use are in @read and @write.
		if right == scriptRight && lackingRight(next(ctx, redis.NewCmd(ctx, "time"))) == "+time" {
			right = "+time"
		}
		err = d.explain(right, err)
		cmd.SetErr(err)
		return err
	}
}

// ProcessPipelineHook explains the first error of a pipeline. A transaction is
// aborted by Redis; why is in the error of one of its commands.
func (d denials) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if right := lackingRight(cmd.Err()); right != "" {
				err = d.explain(right, cmd.Err())
				cmds[0].SetErr(err) // a pipeline's caller gets the first command's error
				return err
			}
		}
		return err
	}
}

func (d denials) explain(right string, cause error) error {
	return &deniedError{fmt.Sprintf("Redis denies it: its ACL user %q lacks the right %s (docs/vocabulary.md lists all that are needed)",
		cmp.Or(d.user, "default"), right), cause}
}

// deniedError is a denial in plain words.
type deniedError struct {
	text  string
	cause error // as Redis said it
}

func (e *deniedError) Error() string { return e.text }
func (e *deniedError) Unwrap() error { return e.cause }

const scriptRight = "to run one of the commands of a script (+@read, +@write or +time)"

// lackingRight is the right whose absence err is about, as ACL SETUSER takes it
// where possible; empty if err is about something else. The wording differs
// between versions of Redis, and within scripts errors don't begin with NOPERM.
func lackingRight(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	inScript := strings.Contains(text, "@user_script")
	if !inScript && !redis.HasErrorPrefix(err, "NOPERM") {
		return ""
	}
	if m := regexp.MustCompile(`permissions to run the '([^']{1,40})'`).FindStringSubmatch(text); m != nil {
		return "+" + m[1]
	}
	denied := strings.Contains(text, "permissions to access") || strings.Contains(text, "executing the script can't")
	switch {
	case !denied:
		return ""
	case strings.Contains(text, "can't run this command"):
		return scriptRight
	case strings.Contains(text, "channel"):
		return "to the channels (&PREFIX*, where PREFIX is redis.prefix)"
	case strings.Contains(text, "key"):
		return "to the keys (~PREFIX*, where PREFIX is redis.prefix)"
	}
	return ""
}
