package passwords

import (
	"fmt"
	"strings"
	"testing"
)

func TestAHashIsOfItsPasswordAlone(t *testing.T) {
	h, err := Make("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(h.Text() + "\n")
	if err != nil || !back.Is("correct horse") || back.Is("correct horsf") || back.Is("") {
		t.Errorf("%v: %v", back.Text(), err)
	}
	if again, _ := Make("correct horse"); again.Text() == h.Text() {
		t.Error("two hashes of a password are the same: they have no salt")
	}
	if text := fmt.Sprintf("%v %#v %s", h, h, []Hash{h}); strings.Contains(text, "argon2id") {
		t.Errorf("a hash is printed: %s", text)
	}
	if (Hash{}).Is("") || Never(Usual()).Is("") {
		t.Error("no password is a password")
	}
}

func TestAHashOfAnotherProgramIsRead(t *testing.T) {
	// of `echo -n "correct horse" | argon2 somesalt12345678 -id -t 3 -k 65536 -p 4` in form; its cost is bounded
	for text, want := range map[string]string{
		"hunter2":                   "want an argon2id hash",
		"$2y$10$abcdefghijklmnopqr": "want an argon2id hash",
		"$argon2id$v=19$m=4194304,t=3,p=4$c29tZXNhbHQxMjM0NTY$" + strings.Repeat("A", 43):  "want m of whole MiB up to 65536",
		"$argon2id$v=19$m=65536,t=100,p=4$c29tZXNhbHQxMjM0NTY$" + strings.Repeat("A", 43):  "t up to 10",
		"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQxMjM0NTY3OA$" + strings.Repeat("A", 43): "",
	} {
		_, err := Parse(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is repeated: %v", err)
		}
	}
	if _, err := Make("short"); err == nil {
		t.Error("a short password is taken")
	}
}
