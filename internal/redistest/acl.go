package redistest

import (
	"os"
	"strings"
	"testing"
)

// DocumentedUser are redis-server's arguments for the ACL user whose rights a
// page of the documentation lists in a line "ACL SETUSER ...", with a password
// and for keys with another prefix than the default.
func DocumentedUser(t testing.TB, page, password, prefix string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "ACL SETUSER ")
	if !found {
		t.Fatalf("%s has no line with ACL SETUSER", page)
	}
	line, _, _ := strings.Cut(after, "\n")
	line = strings.NewReplacer(">PASSWORD", ">"+password, "frostwatch:*", prefix+"*").Replace(line)
	return append([]string{"--user"}, strings.Fields(line)...)
}
