// Package passwords makes and checks hashes of passwords, by argon2id.
package passwords

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what it takes to compute a hash.
type Cost struct {
	MiB     int // of memory
	Passes  int
	Threads int
}

// Usual is the cost of hashes that are made here: what OWASP advises.
func Usual() Cost { return Cost{MiB: 19, Passes: 2, Threads: 1} }

// most bounds the cost of a hash that is checked: a login must not take the machine.
var most = Cost{MiB: 64, Passes: 10, Threads: 4}

const (
	saltBytes = 16
	keyBytes  = 32
	shortest  = 8 // characters of a password of which a hash is made
)

// Longest is how many bytes a password may have.
const Longest = 1024

// Hash is a password's hash. The zero value is no password's.
type Hash struct {
	cost      Cost
	salt, key []byte
}

// Make is a new hash of a password.
func Make(password string) (Hash, error) {
	if n := len([]rune(password)); n < shortest || len(password) > Longest {
		return Hash{}, fmt.Errorf("a password of %d characters: want %d to %d", n, shortest, Longest)
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return Hash{cost: Usual(), salt: salt, key: derive(password, salt, Usual())}, nil
}

// Never is a hash at a cost that no password has: checking it takes as long as another's.
func Never(c Cost) Hash {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return Hash{cost: c, salt: salt}
}

func derive(password string, salt []byte, c Cost) []byte {
	return argon2.IDKey([]byte(password), salt, uint32(c.Passes), uint32(c.MiB)<<10, uint8(c.Threads), keyBytes)
}

// Is is whether a password is the one that was hashed.
func (h Hash) Is(password string) bool {
	if h.salt == nil || len(password) > Longest {
		return false
	}
	got := derive(password, h.salt, h.cost)
	return subtle.ConstantTimeCompare(got, h.key) == 1
}

// Cost is what it takes to check a password.
func (h Hash) Cost() Cost { return h.cost }

// Text is the hash as it is written down.
func (h Hash) Text() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.MiB<<10, h.cost.Passes, h.cost.Threads, b.EncodeToString(h.salt), b.EncodeToString(h.key))
}

// String hides the hash, of which a weak password may be guessed.
func (h Hash) String() string { return "***" }

// GoString hides it from %#v.
func (h Hash) GoString() string { return h.String() }

var parts = regexp.MustCompile(`^\$argon2id\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$`)

// errShape does not repeat the text, which may be a password.
var errShape = errors.New("want an argon2id hash, as `frostwatch console hash` prints it, which begins with $argon2id$v=19$")

// Parse reads a hash as Text writes it, and as other programs do.
func Parse(text string) (Hash, error) {
	found := parts.FindStringSubmatch(strings.TrimSpace(text))
	if found == nil {
		return Hash{}, errShape
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(found[i+1]) // digits alone
	}
	h := Hash{cost: Cost{MiB: n[0] >> 10, Passes: n[1], Threads: n[2]}}
	if c := h.cost; n[0]%1024 != 0 || c.MiB < 1 || c.MiB > most.MiB || c.Passes < 1 || c.Passes > most.Passes || c.Threads < 1 || c.Threads > most.Threads {
		return Hash{}, fmt.Errorf("an argon2id hash of m=%d,t=%d,p=%d: want m of whole MiB up to %d, t up to %d, p up to %d", n[0], n[1], n[2], most.MiB<<10, most.Passes, most.Threads)
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(found[4]); err == nil {
		h.key, err = base64.RawStdEncoding.DecodeString(found[5])
	}
	if err != nil || len(h.key) != keyBytes {
		return Hash{}, errShape
	}
	return h, nil
}
