//go:build !amd64

package topics

// widen leaves all values to the caller.
func widen([]float32, []byte) int { return 0 }
