package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// What CycloneDX 1.6 requires of the fields that are written: who reads SBOMs refuses
// others.
func TestSBOMIsCycloneDX(t *testing.T) {
	info, err := debug.ParseBuildInfo("path\tx\nmod\tx\t(devel)\t\ndep\tgithub.com/a/b\tv1.2.3\th1:x=\ndep\tgithub.com/c/d\tv0.0.1+incompatible\th1:x=\n")
	if err != nil {
		t.Fatal(err)
	}
	info.GoVersion = "go1.26.8 X:exp"
	natives, err := readNatives(strings.NewReader("ffmpeg-libavcodec\t5.1.9-0+deb12u1\tLGPL-2.1-or-later\tpkg:deb/debian/ffmpeg@5.1.9-0+deb12u1?arch=source\tlib/libavcodec.so.59\n" +
		"redis\t7.0.15\tBSD-3-Clause\tpkg:deb/debian/redis@7.0.15\tbin/redis-server\n"))
	if err != nil {
		t.Fatal(err)
	}
	write := func() map[string]any {
		b, err := newBOM(info, "v1", time.Unix(0, 0).UTC(), map[string]string{"github.com/a/b": "MIT"}, natives, func(string) (string, error) { return strings.Repeat("0a", 32), nil })
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	b := write()
	if b["bomFormat"] != "CycloneDX" || b["specVersion"] != "1.6" || b["version"] != 1.0 {
		t.Errorf("begins %v %v %v", b["bomFormat"], b["specVersion"], b["version"])
	}
	serial := b["serialNumber"].(string)
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(serial) {
		t.Errorf("serial number %s", serial)
	}
	if again := write()["serialNumber"]; again != serial {
		t.Errorf("the same content has the numbers %s and %s", serial, again)
	}
	refs, have := map[string]bool{}, map[string]string{}
	program := b["metadata"].(map[string]any)["component"].(map[string]any)
	for _, c := range append([]any{program}, b["components"].([]any)...) {
		c := c.(map[string]any)
		ref, _ := c["bom-ref"].(string)
		if name, _ := c["name"].(string); ref == "" || name == "" || refs[ref] || (c["type"] != "library" && c["type"] != "application") {
			t.Errorf("component %v", c)
		} else {
			have[name], _ = c["purl"].(string)
		}
		refs[ref] = true
	}
	for _, d := range b["dependencies"].([]any) {
		d := d.(map[string]any)
		for _, on := range d["dependsOn"].([]any) {
			if !refs[on.(string)] || !refs[d["ref"].(string)] {
				t.Errorf("%v depends on %v, which is no component", d["ref"], on)
			}
		}
	}
	for name, purl := range map[string]string{
		"std": "pkg:golang/std@1.26.8", "github.com/a/b": "pkg:golang/github.com/a/b@v1.2.3", "github.com/c/d": "pkg:golang/github.com/c/d@v0.0.1%2Bincompatible",
		"ffmpeg-libavcodec": "pkg:deb/debian/ffmpeg@5.1.9-0%2Bdeb12u1?arch=source", "redis": "pkg:deb/debian/redis@7.0.15", "frostwatch": "",
	} {
		if got, ok := have[name]; !ok || got != purl {
			t.Errorf("%s: package URL %q, want %q", name, got, purl)
		}
	}
}

// A release is not made of what may not be passed on, or of what nobody has looked at.
func TestLicencesOfModules(t *testing.T) {
	mit := "Permission is hereby granted, free of charge, to any\nperson obtaining a copy of this software"
	bsd := "Neither the name of X may be used to endorse or promote products derived from this software"
	for _, c := range []struct {
		files      map[string]string
		want, fail string
	}{
		{map[string]string{"LICENSE": mit}, "MIT", ""},
		{map[string]string{"COPYING.md": mit, "in/LICENSE": bsd}, "BSD-3-Clause AND MIT", ""},
		{map[string]string{"LICENSE": mit, "other/LICENSE": "GNU GENERAL PUBLIC LICENSE"}, "MIT", ""}, // of a package that is not linked
		{map[string]string{"LICENSE": "GNU GENERAL PUBLIC LICENSE Version 3"}, "", "does not know"},
		{map[string]string{"LICENSE": mit, "in/LICENSE": "All rights reserved."}, "", "does not know"},
		{map[string]string{"README": mit}, "", "has no licence"},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "in"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range c.files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := module{path: "example.com/m", version: "v1", dir: dir, packages: []string{filepath.Join(dir, "in")}}.licence()
		switch {
		case c.fail == "" && (err != nil || got != c.want):
			t.Errorf("%v: %q, %v; want %q", c.files, got, err, c.want)
		case c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)):
			t.Errorf("%v: error %v, want one with %q", c.files, err, c.fail)
		}
	}
}
