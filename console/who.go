package console

import (
	"context"
	"mime"
	"net/http"
	"os/user"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/console/access"
	"github.com/frostwatch/frostwatch/topics"
)

// role is what somebody may do; each may do what those before it may.
type role = access.Role

const (
	viewer   = access.Viewer
	operator = access.Operator
	admin    = access.Admin
)

// who is somebody who uses the console.
type who = access.Who

// whoKey is the key of a request's who in its context.
type whoKey struct{}

// whoOf is who makes a request. Without users, whoever reaches the console uses the
// machine, and may do everything; with users, who was not let in may do and see nothing.
func (c *Console) whoOf(ctx context.Context) who {
	if w, known := ctx.Value(whoKey{}).(who); known {
		return w
	}
	if c.gate.Protected() {
		return who{}
	}
	return c.local
}

// localUser is who everybody is on a console without users: the system's name of the
// user who runs it, as the commands have it.
func localUser() who {
	name := "local"
	if u, err := user.Current(); err == nil && topics.Clean(u.Username) != "" {
		name = topics.Clean(u.Username)
	}
	return who{Name: name, Role: admin, All: true}
}

// needs lets an operation be used by those who have a role. Edits take JSON alone: a form
// of another site can't send it, whatever browser fills it in.
func (c *Console) needs(r role) func(*huma.Operation) {
	return func(o *huma.Operation) {
		o.Extensions = map[string]any{"x-role": r.String()} // for readers of the description
		o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
			if w := c.whoOf(ctx.Context()); w.Role < r {
				c.refuse(ctx, http.StatusForbidden, "this needs the role "+r.String()+", "+w.Name+" is "+w.Role.String())
				return
			}
			if kind, _, err := mime.ParseMediaType(ctx.Header("Content-Type")); ctx.Method() != http.MethodGet && (err != nil || kind != "application/json") {
				c.refuse(ctx, http.StatusUnsupportedMediaType, "want Content-Type: application/json")
				return
			}
			next(ctx)
		})
	}
}

// whole lets an operation be used by those who have a role and see every camera; others are
// refused, and why.
func (c *Console) whole(r role, why string) func(*huma.Operation) {
	needs := c.needs(r)
	return func(o *huma.Operation) {
		needs(o)
		o.Extensions["x-whole"] = true
		o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
			if w := c.whoOf(ctx.Context()); !w.All {
				c.refuse(ctx, http.StatusForbidden, why)
				return
			}
			next(ctx)
		})
	}
}

func (c *Console) refuse(ctx huma.Context, status int, why string) {
	if err := huma.WriteErr(c.described, ctx, status, why); err != nil {
		c.Logger.Warn("a refusal can't be written", "error", err)
	}
}

// audit logs an edit: who made it, from where, and what it is. The log has the time. All
// edits are logged here.
func (c *Console) audit(ctx context.Context, what string, details ...any) {
	w := c.whoOf(ctx)
	c.Logger.InfoContext(ctx, "audit", append([]any{"who", w.Name, "role", w.Role.String(), "from", w.From, "what", what}, details...)...)
}
