//go:build !race

package media

// racing says that the race detector is on, whose own memory grows.
const racing = false
