// Package access decides who uses the console and what they may see: users with
// passwords, programs with tokens, and whoever is on this machine where there are none.
package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/passwords"
)

// Role is what somebody may do; each may do what those before it may.
type Role int

// Roles. Nobody is who has not shown who they are.
const (
	Nobody Role = iota
	Viewer
	Operator
	Admin
)

func (r Role) String() string { return [...]string{"nobody", "viewer", "operator", "admin"}[r] }

// ParseRole is the role of a name, as String gives it. Nobody is none that somebody has.
func ParseRole(name string) (Role, error) {
	i := slices.Index(config.Roles, name)
	if i < 0 {
		return Nobody, fmt.Errorf("%q is no role: want one of %s", name, strings.Join(config.Roles, ", "))
	}
	return Role(i + 1), nil
}

// Who is somebody who uses the console. The zero value may do and see nothing.
type Who struct {
	Name string
	Role Role
	All  bool     // sees every camera
	Tags []string // otherwise: those with any of these
	From string   // the address of the request
}

// Sees is whether somebody may see a camera with some tags, and what is about it. All that
// the console shows of a camera is asked of it.
func (w Who) Sees(tags []string) bool {
	return w.All || slices.ContainsFunc(w.Tags, func(t string) bool { return slices.Contains(tags, t) })
}

// Same is whether two may do and see the same under one name.
func (w Who) Same(o Who) bool {
	return w.Name == o.Name && w.Role == o.Role && w.All == o.All && slices.Equal(w.Tags, o.Tags)
}

func who(name, role string, tags []string) Who {
	return Who{Name: name, Role: Role(slices.Index(config.Roles, role) + 1), All: len(tags) == 0, Tags: slices.Clone(tags)}
}

// Users are those who may use a console. Nil stands for whoever is on this machine.
type Users struct {
	byName map[string]user
	tokens map[[sha256.Size]byte]Who
	costs  []passwords.Cost // of their hashes
}

type user struct {
	Who
	hash passwords.Hash
}

// Compile reads who may use a console out of its configuration, with the files of hashes.
// It returns nil where nobody needs to show who they are.
func Compile(c config.Console) (*Users, error) {
	var errs []error
	for _, p := range c.Problems() {
		errs = append(errs, fmt.Errorf("%s: %s", p.Key, p.Text))
	}
	if err := errors.Join(errs...); err != nil || !c.Protected() {
		return nil, err
	}
	out := &Users{byName: map[string]user{}, tokens: map[[sha256.Size]byte]Who{}}
	for i, u := range c.Users {
		h, err := hashOf(u)
		if err != nil {
			errs = append(errs, fmt.Errorf("console.users[%d].password_file: %w", i, err))
			continue
		}
		out.byName[u.Name] = user{who(u.Name, u.Role, u.Tags), h}
		out.costs = append(out.costs, h.Cost())
	}
	if len(out.costs) == 0 { // names are as unknown as elsewhere
		out.costs = []passwords.Cost{passwords.Usual()}
	}
	for i, t := range c.Tokens {
		sum := tokenSum(t.Token.Reveal())
		if _, twice := out.tokens[sum]; twice {
			errs = append(errs, fmt.Errorf("console.tokens[%d].token: another has it too", i))
		}
		out.tokens[sum] = who(t.Name, t.Role, t.Tags)
	}
	return out, errors.Join(errs...)
}

// maxHashFile bounds a file that holds a hash.
const maxHashFile = 4096

func hashOf(u config.ConsoleUser) (passwords.Hash, error) {
	if u.PasswordFile == "" {
		return passwords.Parse(u.Password.Reveal())
	}
	f, err := os.Open(u.PasswordFile)
	if err != nil {
		return passwords.Hash{}, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxHashFile))
	if err != nil {
		return passwords.Hash{}, err
	}
	h, err := passwords.Parse(string(b))
	if err != nil {
		return h, fmt.Errorf("%s: %w", u.PasswordFile, err)
	}
	return h, nil
}

// tokenSum is the hash of a token, of which either is written down.
func tokenSum(t string) (sum [sha256.Size]byte) {
	if hash, is := strings.CutPrefix(t, config.TokenHash); is {
		if b, err := hex.DecodeString(hash); err == nil && len(b) == len(sum) {
			return [sha256.Size]byte(b)
		}
	}
	return sha256.Sum256([]byte(t))
}

// Count is how many users and tokens there are.
func (u *Users) Count() (users, tokens int) {
	if u == nil {
		return 0, 0
	}
	return len(u.byName), len(u.tokens)
}

// Same is whether nothing differs.
func (u *Users) Same(o *Users) bool { return reflect.DeepEqual(u, o) }

// stays is whether a user is in o as they are here, with the same password.
func (u *Users) stays(name string, o *Users) bool {
	if u == nil || o == nil {
		return false
	}
	was, is := u.byName[name], o.byName[name]
	return was.Same(is.Who) && was.hash.Text() == is.hash.Text()
}
