package process

// putNewest puts a value into a channel with room for one, in place of an older value
// that nobody has taken.
func putNewest[T any](c chan T, v T) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}
