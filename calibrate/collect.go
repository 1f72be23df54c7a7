package calibrate

import (
	"context"
	"slices"

	"github.com/frostwatch/frostwatch/archive"
)

// collect compares the past of cameras with the words of their rules. The columns of a
// camera's series are those of its rules, in their order.
func (d *dial) collect(ctx context.Context, cameras []string) (map[string]*series, error) {
	if d.Model.References == "" {
		return nil, nil
	}
	columns := map[string][]column{}
	for _, camera := range cameras {
		for _, r := range d.Wanted[camera] {
			columns[camera] = slices.Concat(columns[camera], d.of(camera, r.Name).columnsOf(d.Zones.of(camera, r.Rule)))
		}
	}
	got, err := gather(ctx, d.Past, archive.Range{Since: d.Now.Add(-lookBack), Until: d.Now}, gatherOptions{model: d.Model, columns: columns})
	if err != nil {
		return nil, err
	}
	return got.series, nil
}

// columnsOf are the rule's columns, for a part of a camera's picture.
func (r *dialled) columnsOf(p *part) (out []column) {
	for _, of := range r.columns {
		out = append(out, column{r.words, of[0], of[1], p})
	}
	return out
}
