package doctor

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// configuration reads the file as a stage does.
func (o Options) configuration() []Finding {
	if o.File.Path == "" {
		return []Finding{{Part: "configuration", Grade: OK, What: "none is named: every key has its default"}}
	}
	r, err := process.Checked{}, o.Mistake
	if err == nil {
		r, err = process.CheckFile(o.File)
	}
	if err != nil {
		return []Finding{{"configuration", Wrong, err.Error(), "see `frostwatch config check`"}}
	}
	out := []Finding{{Part: "configuration", Grade: OK, What: o.File.Path + " is right"}}
	for _, w := range r.Warnings {
		if o.Data != "" && process.OfUp(w) || strings.HasPrefix(w, "infer.bundle:") {
			continue // of the model more is said below
		}
		out = append(out, Finding{Part: "configuration", Grade: Warning, What: w})
	}
	return out
}

// model looks at the bundle that infer loads.
func (o Options) model() []Finding {
	dir := o.Config.Infer.Bundle
	if dir == config.Default().Infer.Bundle && o.Data != "" {
		dir = filepath.Join(o.Data, "models", demo.ModelName)
	}
	b, err := froster.OpenBundle(dir)
	if err != nil {
		if o.Config.Infer.Bundle == config.Default().Infer.Bundle {
			return []Finding{demoModel()}
		}
		return []Finding{{"model", Wrong, err.Error(), "set infer.bundle to the folder that `frostwatch model import` wrote (docs/models.md)"}}
	}
	if err := b.Precision.Servable(o.Config.Infer.Provider); err != nil {
		return []Finding{{"model", Wrong, fmt.Sprintf("%s: %v", dir, err), "import the checkpoint again with another --precision"}}
	}
	if b.Name == demo.ModelName {
		return []Finding{demoModel()}
	}
	return []Finding{{Part: "model", Grade: OK, What: fmt.Sprintf("%s in %s, pictures of %d pixels, licence: %s", b.Name, b.Precision, b.Dims.ImageSize, b.Licence)}}
}

func demoModel() Finding {
	return Finding{"model", Warning, "the demo model: on real video its results mean nothing", "import a real checkpoint with `frostwatch model import` and name it in infer.bundle (docs/models.md)"}
}
