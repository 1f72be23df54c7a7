package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// module is a Go module that is linked into the program, with the folders of its
// packages that are.
type module struct {
	path, version, dir string
	packages           []string
}

// linked are the modules whose packages the program is made of. Licences of single
// packages, such as copies of others' code, lie in the packages' folders.
func linked() ([]module, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/frostwatch")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the program's packages: %w", err)
	}
	all := map[string]*module{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read the program's packages: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := all[p.Module.Path]
		if m == nil {
			m = &module{path: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir}
			all[m.path] = m
		}
		m.packages = append(m.packages, p.Dir)
	}
	var list []module
	for _, path := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[path])
	}
	return list, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|edl-v10|epl-v20)([-_.].*)?$`)

// files are the licences of a module: those of its top folder, and of each folder
// between that and its packages.
func (m module) files() ([]string, error) {
	folders := map[string]bool{}
	for _, p := range m.packages {
		for ; len(p) >= len(m.dir); p = filepath.Dir(p) {
			folders[p] = true
		}
	}
	var out []string
	for _, f := range slices.Sorted(maps.Keys(folders)) {
		entries, err := os.ReadDir(f)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type().IsRegular() && licenceFile.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
				out = append(out, filepath.Join(f, e.Name()))
			}
		}
	}
	return out, nil
}

// known are licences by a sentence that only they have, the more special first.
var known = []struct{ id, phrase string }{
	{"(BSD-3-Clause OR EPL-2.0)", "eclipse public license v2.0 and eclipse distribution license v1.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"Apache-2.0", "apache license version 2.0"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce the above copyright notice"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
}

// identify names a licence's text; empty: it is none that is known here.
func identify(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	text = strings.ReplaceAll(text, "license, version", "license version")
	for _, k := range known {
		if strings.Contains(text, k.phrase) {
			return k.id
		}
	}
	return ""
}

// licence is under which licences a module is, as SPDX writes it.
func (m module) licence() (string, error) {
	files, err := m.files()
	if err != nil {
		return "", err
	}
	ids := map[string]bool{}
	for _, f := range files {
		if name := strings.ToLower(filepath.Base(f)); !strings.HasPrefix(name, "licen") && !strings.HasPrefix(name, "copying") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		id := identify(string(b))
		if id == "" {
			return "", fmt.Errorf("%s@%s: %s is a licence that deploy/bill does not know: see whether it may be linked, and add it", m.path, m.version, f)
		}
		ids[id] = true
	}
	if len(ids) == 0 {
		return "", fmt.Errorf("%s@%s has no licence in its folders: it may not be passed on", m.path, m.version)
	}
	return strings.Join(slices.Sorted(maps.Keys(ids)), " AND "), nil
}

// writeLicences copies the licences of all linked modules and of Go itself.
func writeLicences(to string) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go's licence: %w", err)
	}
	goDir := strings.TrimSpace(string(root))
	modules = append(modules, module{path: "std", version: strings.TrimPrefix(runtime.Version(), "go"), dir: goDir, packages: []string{goDir}})
	for _, m := range modules {
		if _, err := m.licence(); err != nil {
			return err
		}
		files, err := m.files()
		if err != nil {
			return err
		}
		for _, f := range files {
			below, err := filepath.Rel(m.dir, f)
			if err != nil {
				return err
			}
			if err := copyFile(f, filepath.Join(to, m.path+"@"+m.version, below)); err != nil {
				return fmt.Errorf("copy a licence: %w", err)
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
