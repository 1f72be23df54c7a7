package process

import (
	"errors"
	"os"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/config"
)

// standsForDemo is whether a configuration names no bundle but the default, which is not
// there: then the demo model is used, so that the stages can be tried without importing a
// checkpoint.
func standsForDemo(c config.Config) bool {
	if c.Infer.Bundle != config.Default().Infer.Bundle {
		return false
	}
	_, err := os.Stat(c.Infer.Bundle)
	return errors.Is(err, os.ErrNotExist)
}

// Bundle is the folder of the bundle that a configuration means: the one that it names,
// or the demo model, which is put into the user's cache folder.
func (p *Process) Bundle(c config.Config) string {
	if !standsForDemo(c) {
		return c.Infer.Bundle
	}
	dir, err := demo.CachedModel()
	if err != nil {
		p.log.Error("the demo model can't be used", "error", err)
		return c.Infer.Bundle // whose error says what to do
	}
	p.log.Warn("infer.bundle names no bundle: the demo model is used, whose results mean nothing on real video", "bundle", dir)
	return dir
}
