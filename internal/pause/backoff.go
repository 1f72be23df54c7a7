package pause

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before the next try after so many failures in a row, at
// least one: shortest, doubled at each further failure up to longest; of that between half
// and the whole, at random, so that what failed together does not try again together.
func Backoff(shortest, longest time.Duration, failures int) time.Duration {
	step := longest
	if n := failures - 1; n < 32 && shortest<<n < longest && shortest<<n > 0 {
		step = shortest << n
	}
	return step/2 + rand.N(step/2+1)
}
