// Package house tests that packages import only what is below them (docs/design.md).
package house
