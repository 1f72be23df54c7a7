package topics

import (
	"fmt"
	"strings"
)

// RuleKey is the key of a rule on a camera, in tables with the key camera/rule. No
// camera's name contains a stroke.
func RuleKey(camera, rule string) string { return camera + "/" + rule }

// SplitRuleKey is the inverse of RuleKey.
func SplitRuleKey(key string) (camera, rule string, ok bool) {
	camera, rule, ok = strings.Cut(key, "/")
	return camera, rule, ok && cameraName.MatchString(camera) && isID(rule)
}

// checkRule checks what records with the key camera/rule have in common.
func checkRule(camera, rule string) error {
	switch {
	case !cameraName.MatchString(camera):
		return fmt.Errorf("camera %.80q is not a camera name", camera)
	case !isID(rule):
		return fmt.Errorf("rule: want 1 to %d bytes of printable text", maxID)
	}
	return nil
}
