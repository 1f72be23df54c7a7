package alerts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// ZoneNames are the zones that a rule is about: in YAML one name, or a list.
type ZoneNames []string

// UnmarshalText reads one name.
func (z *ZoneNames) UnmarshalText(b []byte) error {
	*z = ZoneNames{string(b)}
	return nil
}

// UnmarshalYAML reads a name or a list.
func (z *ZoneNames) UnmarshalYAML(unmarshal func(any) error) error {
	return config.EitherForm(unmarshal, z.UnmarshalText, (*[]string)(z))
}

func (r Rule) checkZone(wrong func(string, ...any)) {
	if err := topics.CheckZoneNames(r.Zone); err != nil {
		wrong("zone: %w", err)
	}
	for i, name := range r.Zone {
		if slices.Contains(r.Zone[:i], name) {
			wrong("zone: %s is named twice", name)
		}
	}
	if len(r.Zone) > 0 && r.Stream != nil {
		wrong("zone: a rule on streams is about the whole picture")
	}
}

// looksAt is whether the rule is about where the label was seen.
func (r *Rule) looksAt(l *topics.LabelScore) bool {
	if l.Zone == nil || len(r.Zone) == 0 {
		return l.Zone == nil && len(r.Zone) == 0
	}
	return slices.Contains(r.Zone, l.Zone.Name)
}

// spot distinguishes labels of zones where only names are compared.
func spot(l *topics.LabelScore) string {
	if l.Zone == nil {
		return l.Label
	}
	return l.Zone.Name + "\x00" + l.Label
}

// zoneName is that of a label, empty where it is of the whole picture.
func zoneName(l *topics.LabelScore) string {
	if l.Zone == nil {
		return ""
	}
	return l.Zone.Name
}

// zoneless are the cameras of the rule that have none of its zones, sorted.
func (r *rule) zoneless(around Surroundings) (out []string) {
	if len(r.Zone) == 0 || around.Cameras == nil || around.Zones == nil {
		return nil
	}
	for camera, tags := range around.Cameras {
		if r.watches(camera, tags) && !slices.ContainsFunc(r.Zone, func(name string) bool { _, has := around.Zones[camera][name]; return has }) {
			out = append(out, camera)
		}
	}
	slices.Sort(out)
	return out
}

// unzoned says of which cameras and zones the rule can see nothing.
func (r *rule) unzoned(around Surroundings) (why []string) {
	const most = 5
	if without := r.zoneless(around); len(without) > 0 {
		text := strings.Join(without[:min(most, len(without))], ", ")
		if more := len(without) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		why = append(why, fmt.Sprintf("no zone %s on %s: add it with `frostwatch camera set CAMERA --zone`", strings.Join(r.Zone, " or "), text))
	}
	return why
}
