package topics

import (
	"fmt"
	"path"
	"slices"
)

// Chosen reports whether a camera is among those that globs over names and tags
// choose: its name matches one of the globs, and it has one of the tags. Without
// globs every name matches, without tags every camera has them.
func Chosen(camera string, tags, globs, wanted []string) bool {
	named := len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := path.Match(glob, camera)
		return ok && err == nil
	})
	return named && (len(wanted) == 0 || slices.ContainsFunc(wanted, func(tag string) bool { return slices.Contains(tags, tag) }))
}

// CheckGlob returns an error if a text is neither a name nor a glob over names.
func CheckGlob(glob string) error {
	if _, err := path.Match(glob, ""); err != nil || !isID(glob) {
		return fmt.Errorf("%.80q: want a name or a glob such as ward-*", glob)
	}
	return nil
}

// CheckTag returns an error if no camera can have the tag.
func CheckTag(tag string) error {
	if !areTags([]string{tag}) {
		return fmt.Errorf("%.80q: want a tag of cameras", tag)
	}
	return nil
}
