// Package starter writes a first configuration for a case, with which everything starts.
package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/internal/config"
)

//go:embed machine.yaml stages.yaml kubernetes.yaml
var files embed.FS

// Cases that a configuration can be written for.
const (
	Machine    = "machine"    // `frostwatch up` on one machine
	Stages     = "stages"     // processes of their own, against Kafka and Redis
	Kubernetes = "kubernetes" // values of the chart in deploy/helm
)

// Options are what is known of the installation.
type Options struct {
	Cameras []Camera
	Watch   []string // labels, each of which gets a rule
	Bundle  string   // a folder; for Kubernetes its name in the volume
	Image   string   // for Kubernetes: where the image is, with its tag
	Kafka   []string // addresses of brokers
	Redis   string
	Dir     string // of the archive and of packets, for stages; empty: where they are started
}

// Camera is a camera of the first configuration.
type Camera struct{ Name, URL string }

// folder is where the stages put something.
func (o Options) folder(of string) string {
	if o.Dir == "" {
		return "frostwatch-" + of
	}
	return filepath.Join(o.Dir, of)
}

type rule struct{ Name, Label string }

// Config is the configuration for a case, or the chart's values. It has been read as a
// stage reads it.
func Config(of string, o Options) ([]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{"quote": quoted}).ParseFS(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	data := struct {
		Options
		Rules                          []rule
		Replication                    int
		Archive, Packets, CameraSecret string
		Repository, Tag                string
	}{Options: o, Rules: rulesOf(o.Watch), Replication: min(3, len(o.Kafka)), Archive: o.folder("archive"), Packets: o.folder("packets"), CameraSecret: CameraSecret}
	if of == Kubernetes {
		if data.Repository, data.Tag, err = o.image(); err != nil {
			return nil, err
		}
		if err := o.checkPasswords(); err != nil {
			return nil, err
		}
		data.Replication = 3 // one address is often that of a cluster
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, of+".yaml", data); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	written := []byte(aligned(b.String()))
	read := written
	if of == Kubernetes {
		if read, err = ofValues(read); err != nil {
			return nil, err
		}
	}
	c, err := config.Parse("", read, anyVariable)
	if err != nil {
		return nil, err
	}
	if _, err := alerts.Compile(c.Rules); err != nil {
		return nil, err
	}
	return written, checkCameras(c)
}

// checkCameras refuses cameras that ingest would refuse, also where the file is for another
// machine.
func checkCameras(c config.Config) error {
	limits := cameraedit.LimitsOf(c)
	for i, camera := range cameraedit.OfFile(c) {
		if err := limits.Validate(camera); err != nil {
			return fmt.Errorf("cameras[%d]: %w", i, err)
		}
	}
	return nil
}

// anyVariable stands for the environment in which the stages will run.
func anyVariable(string) (string, bool) { return "x", true }

// quoted is a text as YAML takes it, which takes JSON's.
func quoted(text string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return strings.TrimSpace(b.String()), err
}

// rulesOf names a rule for each label.
func rulesOf(labels []string) (out []rule) {
	seen := map[string]int{}
	for _, label := range labels {
		name := ruledesk.NameOf(label, nil)
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[name])
		}
		out = append(out, rule{name, label})
	}
	return out
}

// Names of the files that Write writes.
const (
	ConfigFile = "frostwatch.yaml"
	ValuesFile = "values.yaml"
	LabelsFile = "labels.txt"
)

// FileOf is the name of the file that Write writes for a case.
func FileOf(of string) string {
	if of == Kubernetes {
		return ValuesFile
	}
	return ConfigFile
}

// Remove takes away again what Write has written.
func Remove(dir, of string, o Options) error {
	err := os.Remove(filepath.Join(dir, FileOf(of)))
	if len(o.Watch) > 0 {
		err = errors.Join(err, os.Remove(filepath.Join(dir, LabelsFile)))
	}
	return err
}

// Write puts the configuration into a folder, and the labels beside it. It overwrites
// nothing, and after an error nothing of it is there.
func Write(dir, of string, o Options) error {
	b, err := Config(of, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	path := filepath.Join(dir, FileOf(of))
	if err := writeNew(path, b); err != nil || len(o.Watch) == 0 {
		return err
	}
	if err := writeNew(filepath.Join(dir, LabelsFile), []byte(strings.Join(o.Watch, "\n")+"\n")); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(b)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
