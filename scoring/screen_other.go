//go:build !amd64

package scoring

// canScreen is whether dots4 works for embeddings of a length.
func canScreen(int) bool { return false }

func dots4(*[5]float32, *byte, *float32, int) { panic("clips can't be screened on this processor") }
