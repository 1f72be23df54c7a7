package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// endpointsFile is in the data directory of a running `up`.
const endpointsFile = "endpoints.json"

// Endpoints are the addresses (host:port) at which a running `up` is reached, and
// the names it uses there. They contain no secret.
type Endpoints struct {
	Kafka string `json:"kafka"`
	Redis string `json:"redis"`
	RTSP  string `json:"rtsp"`
	HTTP  string `json:"http"`
	// Console is where the web page is.
	Console string `json:"console,omitempty"`
	Names   *Names `json:"names,omitempty"`
	// Config is the path of the configuration file that `up` follows.
	Config string `json:"config,omitempty"`
	// Bundle is the folder of the model that a flag names, whatever the file says.
	Bundle string `json:"bundle,omitempty"`
	// Settings are what was in force at the start, as people read it: secrets are hidden.
	Settings []config.Setting `json:"settings,omitempty"`
	// Live are the keys of which the file's value is in force as soon as it is saved.
	Live []string `json:"live,omitempty"`
}

// Names are the prefixes and the vocabulary that a running `up` uses, so that
// commands edit what it watches, whatever file it was configured with.
type Names struct {
	KafkaPrefix string `json:"kafka_prefix"`
	RedisPrefix string `json:"redis_prefix"`
	Vocabulary  string `json:"vocabulary"`
	// Sets are the further vocabularies and their cameras.
	Sets []config.VocabSet `json:"vocabulary_sets,omitempty"`
}

// Configure points a configuration to the servers that `up` runs, which want no
// password and no TLS.
func (e Endpoints) Configure(c *config.Config) {
	if e.Names != nil {
		c.Kafka.Prefix, c.Redis.Prefix, c.Vocab.Name = e.Names.KafkaPrefix, e.Names.RedisPrefix, e.Names.Vocabulary
		c.Vocab.Sets = e.Names.Sets
	}
	c.Kafka = c.Kafka.At(e.Kafka)
	c.Redis = config.Redis{Address: e.Redis, Prefix: c.Redis.Prefix}
}

// InForce are the settings of the `up` that runs there: those of its start, and of keys that
// are live those of the file now. Of one that differs in the file it says so.
func (e Endpoints) InForce(now config.File) []config.Setting {
	file := map[string]config.Setting{}
	for _, s := range now.Settings() {
		file[s.Key] = s
	}
	out := slices.Clone(e.Settings)
	for i, s := range out {
		of, known := file[s.Key]
		switch {
		case !known:
		case slices.Contains(e.Live, s.Key):
			if of.Set || s.From != config.FromUp {
				out[i] = of
			}
		case s.From == config.FromUp:
			if s.OfFile != "" && of.Value != s.OfFile && of.Value != s.Value && !byFlag(s.Key) {
				out[i].From = fmt.Sprintf("%s; %s from the next start on", config.FromUp, of.Value)
			}
		case s.Value != of.Value:
			out[i].From = fmt.Sprintf("the file as it was at the start; %s from the next start on", of.Value)
		}
	}
	return out
}

// byFlag is whether `up` or its flags go on setting a key, whatever the file says.
func byFlag(key string) bool { return key == "infer.bundle" || slices.Contains(overridden, key) }

// Runs is whether an `up` answers at these addresses.
func (e Endpoints) Runs() bool {
	c, err := net.DialTimeout("tcp", e.HTTP, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// DefaultEndpoints avoid the standard ports, because the machine may have a Redis,
// a broker or an RTSP server of its own.
func DefaultEndpoints() Endpoints {
	return Endpoints{
		Kafka: "127.0.0.1:19092", Redis: "127.0.0.1:16379",
		RTSP: "127.0.0.1:18554", HTTP: "127.0.0.1:18080", Console: "127.0.0.1:18070",
	}
}

// ChooseEndpoints returns the addresses to listen on: the defaults, which must all
// be free, or, with "auto", any that are.
func ChooseEndpoints(ports string) (Endpoints, error) {
	e := DefaultEndpoints()
	if ports != "auto" && ports != "fixed" {
		return e, fmt.Errorf("--ports %q: want auto or fixed", ports)
	}
	for _, address := range []*string{&e.Kafka, &e.Redis, &e.RTSP, &e.HTTP, &e.Console} {
		listen := *address
		if ports == "auto" {
			listen = "127.0.0.1:0"
		}
		l, err := net.Listen("tcp", listen)
		if err != nil {
			return e, fmt.Errorf("%w: stop what uses the port, or take free ones with --ports auto", err)
		}
		// Kept open until all are chosen, so that no port is given twice.
		defer func() { _ = l.Close() }()
		*address = l.Addr().String()
	}
	return e, nil
}

// Port returns the port of host:port, 0 if it has none.
func Port(address string) int {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return 0
	}
	return n
}

// ReadEndpoints reads those of the `up` that runs on the data directory.
func ReadEndpoints(data string) (e Endpoints, err error) {
	raw, err := os.ReadFile(filepath.Join(data, endpointsFile))
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		return e, fmt.Errorf("find the running frostwatch: %w", err)
	}
	return e, nil
}

// ConfigOf is the configuration file of the `up` whose data directory is given, whether it
// runs or not; empty: there is none.
func ConfigOf(data string) string {
	if e, err := ReadEndpoints(data); err == nil && e.Config != "" {
		return e.Config
	}
	if own := ownConfig(data); exists(own) {
		return own
	}
	return ""
}

// write puts the addresses in DIR/endpoints.json, whole or not at all. Nobody else may read it:
// what is hidden in settings is what looks like a secret.
func (e Endpoints) write(dir string) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write endpoints: %w", err)
	}
	path := filepath.Join(dir, endpointsFile)
	// One that was left behind would keep its mode.
	if err := os.Remove(path + ".part"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write endpoints: %w", err)
	}
	if err := os.WriteFile(path+".part", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write endpoints: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write endpoints: %w", err)
	}
	return nil
}
