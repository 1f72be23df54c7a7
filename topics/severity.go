package topics

import "slices"

// Severities are those that alerts have, the lowest first.
func Severities() []string { return []string{"info", "warning", "critical"} }

// SeverityRank orders severities; that of a text that is none is below all.
func SeverityRank(severity string) int { return slices.Index(Severities(), severity) }
