package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// The parts of CycloneDX 1.6 that are written here.
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl,omitempty"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licences   []licence  `json:"licenses,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	licence struct {
		Expression string `json:"expression"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn,omitempty"`
	}
)

// native is a file of the release that is not Go's.
type native struct{ name, version, licence, purl, file string }

// readNatives reads lines of five fields between tabs.
func readNatives(r io.Reader) (out []native, err error) {
	for s := bufio.NewScanner(r); s.Scan(); {
		f := strings.Split(s.Text(), "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("read the native parts: %q: want name, version, licence, package URL and file", s.Text())
		}
		out = append(out, native{f[0], f[1], f[2], f[3], f[4]})
	}
	return out, nil
}

// writeSBOM writes the SBOM of the unpacked release in folder.
func writeSBOM(w io.Writer, folder, version string, natives io.Reader) error {
	program := filepath.Join(folder, "frostwatch")
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read what the program is made of: %w", err)
	}
	list, err := readNatives(natives)
	if err != nil {
		return err
	}
	modules, err := linked()
	if err != nil {
		return err
	}
	licences := map[string]string{}
	for _, m := range modules {
		if licences[m.path], err = m.licence(); err != nil {
			return err
		}
	}
	b, err := newBOM(info, version, released(), licences, list, func(file string) (string, error) { return sum(filepath.Join(folder, file)) })
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(b)
}

// released is SOURCE_DATE_EPOCH, so that the same source gives the same file.
func released() time.Time {
	if s, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(s, 0).UTC()
	}
	return time.Now().UTC()
}

// newBOM lists the program, the modules in it, Go's standard library, and what is carried
// beside it.
func newBOM(info *debug.BuildInfo, version string, at time.Time, licences map[string]string, natives []native, sum func(file string) (string, error)) (bom, error) {
	program := component{Type: "application", Ref: "frostwatch", Name: "frostwatch", Version: version, Licences: of("Apache-2.0")}
	s, err := sum("frostwatch")
	if err != nil {
		return bom{}, err
	}
	program.Hashes = []hash{{"SHA-256", s}}
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{at.Format(time.RFC3339), program}}
	goVersion, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ") // experiments may follow
	std := "pkg:golang/std@" + goVersion
	b.Components = append(b.Components, component{Type: "library", Ref: std, Name: "std", Version: goVersion, PURL: std, Licences: of("BSD-3-Clause")})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
		b.Components = append(b.Components, component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl, Licences: of(licences[m.Path])})
	}
	for _, n := range natives {
		s, err := sum(n.file)
		if err != nil {
			return bom{}, err
		}
		kind := "library"
		if strings.HasPrefix(n.file, "bin/") {
			kind = "application"
		}
		b.Components = append(b.Components, component{
			Type: kind, Ref: n.file, Name: n.name, Version: n.version, PURL: escaped(n.purl), Licences: of(n.licence), Hashes: []hash{{"SHA-256", s}},
			Properties: []property{{"frostwatch:file", n.file}},
		})
	}
	all := dependency{Ref: program.Ref}
	for _, c := range b.Components {
		all.On = append(all.On, c.Ref)
	}
	b.Dependencies = []dependency{all}
	b.Serial, err = serial(b)
	return b, err
}

func of(expression string) []licence {
	if expression == "" {
		return nil
	}
	return []licence{{expression}}
}

// escaped writes a version of Debian's in a package URL.
func escaped(purl string) string {
	return strings.ReplaceAll(purl, "+", "%2B")
}

// serial is a UUID that the content gives, of version 8 (RFC 9562).
func serial(b bom) (string, error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(raw)
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]), nil
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
