package console

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// passwordsEvery is how often files of passwords' hashes are read again.
const passwordsEvery = 10 * time.Second

type meOutput struct {
	Body struct {
		Name string   `json:"name"`
		Role string   `json:"role" enum:"viewer,operator,admin"`
		Tags []string `json:"tags,omitempty" doc:"cameras with any of these are seen; absent: every camera"`
	}
}

func (c *Console) getMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	w := c.whoOf(ctx)
	out := &meOutput{}
	out.Body.Name, out.Body.Role, out.Body.Tags = w.Name, w.Role.String(), w.Tags
	return out, nil
}

// followPasswords reads the files of passwords' hashes again as time passes, since their
// names in the configuration stay when what is in them changes.
func (c *Console) followPasswords(ctx context.Context) {
	pause.Every(ctx, passwordsEvery, func() {
		s := c.site.Load()
		if !s.files() {
			return
		}
		next, err := newSite(s.Console)
		c.Reporter.Warning("console: users", err)
		if err != nil {
			return
		}
		for _, line := range c.enter(next, s) {
			c.Logger.InfoContext(ctx, line)
		}
	})
}

// files is whether what users' passwords are is in files.
func (s *site) files() bool {
	for _, u := range s.Users {
		if u.PasswordFile != "" {
			return true
		}
	}
	return false
}
