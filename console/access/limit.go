package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits bounds how often something is done under each of any number of keys. They share a
// fixed number of limits, by a hash that nobody else knows, so that neither can many keys
// take memory nor can one aim at another's. Safe for concurrent use.
type limits struct {
	seed maphash.Seed
	mu   sync.Mutex
	all  [4096]*rate.Limiter

	every time.Duration
	burst int
}

func newLimits(every time.Duration, burst int) *limits {
	return &limits{seed: maphash.MakeSeed(), every: every, burst: burst}
}

// take is zero where it may be done now, which then counts, and else how long it may not.
func (l *limits) take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := &l.all[maphash.String(l.seed, key)%uint64(len(l.all))]
	if *one == nil {
		*one = rate.NewLimiter(rate.Every(l.every), l.burst)
	}
	r := (*one).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// network is what an address is limited by: of IPv6 anyone has 2^64 addresses.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	if p, err := a.WithZone("").Prefix(64); err == nil {
		return p.String()
	}
	return address
}
