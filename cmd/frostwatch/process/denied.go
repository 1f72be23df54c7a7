package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
)

// grantWait is the time between two attempts at what Kafka refuses. It is short
// enough for an operator to see that a grant has helped, and long enough not to
// fill the broker's log.
const grantWait = 30 * time.Second

// joinedTime is how long a group must work before its refusal counts as over.
const joinedTime = 5 * time.Second

// refusal is an error of Kafka that lasts until somebody acts: a grant, another
// login, another certificate. It is logged at once, also while the process starts.
type refusal struct {
	text string
	err  error
}

func (r *refusal) Error() string { return r.text }

func (r *refusal) Unwrap() error { return r.err }

// refused reports whether Kafka refuses what this process must be able to do,
// rather than a single record.
func refused(err error) bool {
	return bus.Permanent(err) && !bus.RecordRefused(err) && !errors.Is(err, bus.ErrMoved)
}

// untilGranted calls do until Kafka no longer refuses it, and returns its result.
// Meanwhile the refusal is the problem of part.
func (p *Process) untilGranted(ctx context.Context, part string, do func() error) error {
	for reported := false; ; reported = true {
		err := do()
		if !refused(err) || ctx.Err() != nil {
			if reported {
				p.reporter.Problem(part, nil)
			}
			return err
		}
		p.reporter.Problem(part, &refusal{p.whatToGrant(err), err})
		if !pause.For(ctx, p.grantWait) {
			return ctx.Err()
		}
	}
}

// stageBus is the Kafka client of a stage. When Kafka refuses the stage's group
// or a topic, Consume doesn't return, because a process that ended would be
// started again and again without saying why: it reports the refusal and tries
// again every grantWait.
type stageBus struct {
	*bus.Client
	process *Process
	stage   string
}

// Consume is as in bus.Client, but returns no refusals.
func (b stageBus) Consume(ctx context.Context, o bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error {
	p, part := b.process, "group "+o.Group
	for {
		// A member whose handlers are refused a topic joins, and fails a moment later.
		var works *time.Timer
		o.Joined = func() {
			if works == nil {
				works = time.AfterFunc(joinedTime, func() { p.reporter.Problem(part, nil) })
			}
		}
		err := b.Client.Consume(ctx, o, handle)
		if works != nil {
			works.Stop()
		}
		if !refused(err) || ctx.Err() != nil {
			return err
		}
		text := p.whatToGrant(err)
		if bus.DenialOf(err) == bus.DeniesGroup {
			text = fmt.Sprintf("Kafka does not let %s join the consumer group %s: grant READ on this group", p.kafkaUser(), o.Group)
		}
		p.reporter.Problem(part, &refusal{b.stage + " can't read " + o.Topic + ": " + text, err})
		if !pause.For(ctx, p.grantWait) {
			return nil
		}
	}
}

// whatToGrant explains a refusal to an operator.
func (p *Process) whatToGrant(err error) string {
	user := p.kafkaUser()
	switch bus.DenialOf(err) {
	case bus.DeniesLogin:
		return fmt.Sprintf("Kafka refuses the login of %s: check kafka.sasl", user)
	case bus.DeniesGroup:
		return fmt.Sprintf("Kafka does not let %s join a consumer group: grant READ on groups", user)
	case bus.DeniesTopic:
		return fmt.Sprintf("%s: Kafka does not let %s use this topic: grant DESCRIBE, READ and WRITE on topics that begin with %q", doing(err), user, p.Names.Prefix)
	case bus.DeniesCluster:
		return fmt.Sprintf("%s: Kafka does not let %s do this: grant CREATE on topics that begin with %q, or create them", doing(err), user, p.Names.Prefix)
	}
	return err.Error()
}

// doing is the part of an error that says what was being done, without Kafka's
// code and its explanation.
func doing(err error) string {
	text, _, _ := strings.Cut(err.Error(), ": [")
	return text
}

// kafkaUser names the user by whom this process connects.
func (p *Process) kafkaUser() string {
	k := p.Config.Kafka
	switch {
	case k.SASL.Mechanism != "":
		return fmt.Sprintf("user %q", k.SASL.Username)
	case k.TLS.Cert != "":
		return "the user of the certificate " + k.TLS.Cert
	}
	return "a client without a login"
}
