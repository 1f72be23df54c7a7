package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

var (
	cameraURL = regexp.MustCompile(`^cameras\[\d+\]\.(url|watch)$`)
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	topicText = regexp.MustCompile(`^[A-Za-z0-9._-]{0,100}$`)
)

// The upper limits for inference. Flags that stand for a key have the same
// range.
const (
	MaxThreads = 1024 // infer.threads
	MaxBatch   = 1024 // infer.max_batch
)

// check refuses impossible values; each problem names the key, the line and
// what is allowed.
func (d *document) check(c Config) {
	d.checkServers(c)
	d.checkStages(c)
	d.checkLists(c)
}

func (d *document) checkServers(c Config) {
	if len(c.Kafka.Brokers) == 0 {
		d.wrong("kafka.brokers", "want at least one host:port")
	}
	for i, b := range c.Kafka.Brokers {
		d.address(fmt.Sprintf("kafka.brokers[%d]", i), b)
	}
	if !topicText.MatchString(c.Kafka.Prefix) {
		d.wrong("kafka.prefix", fmt.Sprintf("%q: want at most 100 letters, digits, '.', '_' and '-'", c.Kafka.Prefix))
	}
	inRange(d, "kafka.partitions", c.Kafka.Partitions, 1, 10_000)
	inRange(d, "kafka.replication", c.Kafka.Replication, 1, 100)
	d.checkKafkaLogin(c.Kafka)
	d.checkRedis(c.Redis)
	if c.HTTP.Listen != "" {
		d.address("http.listen", c.HTTP.Listen)
	}
	d.checkConsole(c.Console)
	d.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	d.oneOf("log.format", c.Log.Format, "text", "json")
	if e := c.Telemetry.OTLPEndpoint; e != "" {
		if err := CheckCollector(e); err != nil {
			d.wrong("telemetry.otlp_endpoint", err.Error())
		}
	}
	inRange(d, "telemetry.trace_ratio", c.Telemetry.TraceRatio, 0, 1)
}

// CheckCollector refuses what is no address of a collector of OpenTelemetry. What is in it stays
// out of the error: it may be a password.
func CheckCollector(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want http://host:port or https://host:port")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		// Shown as any other address, and none of it would be sent.
		return errors.New("want http://host:port or https://host:port, without user, password and path")
	}
	return nil
}

func (d *document) checkRedis(c Redis) {
	d.address("redis.address", c.Address)
	inRange(d, "redis.database", c.Database, 0, 1000)
	d.checkTLS("redis.tls", c.TLS)
	for i, a := range c.Sentinel.Addresses {
		d.address(fmt.Sprintf("redis.sentinel.addresses[%d]", i), a)
	}
	if (c.Sentinel.Master == "") != (len(c.Sentinel.Addresses) == 0) {
		d.wrong("redis.sentinel", "want both the name of the master and addresses of sentinels, or neither")
	}
}

// checkTLS refuses settings that would have no effect, and half of a pair.
func (d *document) checkTLS(path string, c TLS) {
	if (c.Cert == "") != (c.Key == "") {
		d.wrong(path, "want both cert and key, or neither")
	}
	if !c.Enabled && c != (TLS{}) {
		d.wrong(path, "enabled is false: want it true where another key is set")
	}
}

func (d *document) checkKafkaLogin(k Kafka) {
	d.checkTLS("kafka.tls", k.TLS)
	s := k.SASL
	d.oneOf("kafka.sasl.mechanism", s.Mechanism, "", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	if s.Mechanism != "" && s.Username == "" {
		d.wrong("kafka.sasl.username", "empty: want the name to log in with")
	}
	if s.Mechanism == "" && (s.Username != "" || s.Password != "") {
		d.wrong("kafka.sasl.mechanism", "empty: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 to log in")
	}
}

func (d *document) checkStages(c Config) {
	for path, group := range map[string]string{"ingest.group": c.Ingest.Group, "infer.group": c.Infer.Group, "alerts.group": c.Alerts.Group, "calibrate.group": c.Calibrate.Group, "archive.group": c.Archive.Group, "notify.group": c.Notify.Group, "vocab.name": c.Vocab.Name} {
		if group == "" {
			d.wrong(path, "is empty")
		}
	}
	d.oneOf("ingest.transport", c.Ingest.Transport, "tcp", "udp")
	if len(c.Ingest.Protocols) == 0 {
		d.wrong("ingest.protocols", "want at least one URL scheme")
	}
	for i, p := range c.Ingest.Protocols {
		d.oneOf(fmt.Sprintf("ingest.protocols[%d]", i), p, "rtsp", "rtsps", "http", "https", "file")
	}
	for i, name := range c.Ingest.Env {
		if !variable.MatchString(name) {
			// The value is not repeated in the message: it may be a secret from
			// the environment.
			d.wrong(fmt.Sprintf("ingest.env[%d]", i), "want the name of an environment variable, as LOBBY_PASSWORD, without ${}")
		}
	}
	inRange(d, "ingest.open_timeout", c.Ingest.OpenTimeout, 100*time.Millisecond, 10*time.Minute)
	inRange(d, "ingest.read_timeout", c.Ingest.ReadTimeout, 100*time.Millisecond, 10*time.Minute)
	inRange(d, "ingest.watchdog", c.Ingest.Watchdog, time.Second, time.Hour)
	d.oneOf("ingest.decode", string(c.Ingest.Decode), string(topics.DecodeDemand), string(topics.DecodeAlways))
	d.oneOf("ingest.record", string(c.Ingest.Record), string(topics.RecordEvents), string(topics.RecordNone))
	inRange(d, "ingest.pre", c.Ingest.Pre, 0, topics.MaxAround)
	inRange(d, "ingest.post", c.Ingest.Post, 0, topics.MaxAround)
	inRange(d, "ingest.packets.camera", c.Ingest.Packets.Camera, 1e6, 1e12)
	inRange(d, "ingest.packets.total", c.Ingest.Packets.Total, 1e6, 1e15)
	inRange(d, "ingest.decode_threads", c.Ingest.DecodeThreads, 1, 64)
	inRange(d, "ingest.processes", c.Ingest.Processes, 0, 64)
	inRange(d, "ingest.backoff.min", c.Ingest.Backoff.Min, 10*time.Millisecond, time.Hour)
	inRange(d, "ingest.backoff.max", c.Ingest.Backoff.Max, c.Ingest.Backoff.Min, 24*time.Hour)
	inRange(d, "ingest.backoff.reset_after", c.Ingest.Backoff.ResetAfter, 0, 24*time.Hour)
	d.timing("framer", c.Framer.Window, c.Framer.Stride)
	if err := topics.CheckViews(c.Framer.Views); err != nil {
		d.wrong("framer.views", err.Error())
	} else if len(c.Framer.Views) == 0 {
		d.wrong("framer.views", "want at least one of centre, tiles, squash and zoom")
	}
	inRange(d, "framer.short_side", c.Framer.ShortSide, topics.MinShortSide, topics.MaxShortSide)
	inRange(d, "framer.jpeg_quality", c.Framer.JPEGQuality, 1, 100)
	inRange(d, "framer.queue", c.Framer.Queue, 1, 1000)
	inRange(d, "framer.accept_view", c.Framer.AcceptView, time.Minute, 30*24*time.Hour)
	if c.Infer.Bundle == "" {
		d.wrong("infer.bundle", "is empty: want a folder made by importing a checkpoint (docs/models.md)")
	}
	d.oneOf("infer.provider", c.Infer.Provider, "cpu", "cuda", "tensorrt")
	inRange(d, "infer.threads", c.Infer.Threads, 0, MaxThreads)
	inRange(d, "infer.max_batch", c.Infer.MaxBatch, 1, MaxBatch)
	inRange(d, "infer.max_wait", c.Infer.MaxWait, 0, time.Minute)
	inRange(d, "infer.max_age", c.Infer.MaxAge, 0, 365*24*time.Hour)
	inRange(d, "infer.top_k", c.Infer.TopK, 1, 1000)
	inRange(d, "infer.quiet_every", c.Infer.QuietEvery, 1, 100)
	for path, age := range map[string]Age{"archive.retention.actions": c.Archive.Retention.Actions, "archive.retention.alerts": c.Archive.Retention.Alerts} {
		if age != 0 && time.Duration(age) < time.Hour {
			d.wrong(path, fmt.Sprintf("%v: want at least 1h, or 0 for ever", time.Duration(age)))
		}
	}
	inRange(d, "vocab.poll", c.Vocab.Poll, 10*time.Millisecond, time.Hour)
}

// maxSets bounds vocab.sets.
const maxSets = 60

// checkVocabularies checks vocab.sets.
func (d *document) checkVocabularies(c Vocab) {
	if len(c.Sets) > maxSets {
		d.wrong("vocab.sets", fmt.Sprintf("%d: want at most %d", len(c.Sets), maxSets))
	}
	for i, s := range c.Sets {
		at := fmt.Sprintf("vocab.sets[%d]", i)
		if err := topics.CheckVocabularyName(s.Name); err != nil {
			d.wrong(at+".name", err.Error())
		}
		if len(s.Cameras) == 0 && len(s.CameraTags) == 0 {
			d.wrong(at, "want cameras or camera_tags: which cameras use it")
		}
		for k, glob := range s.Cameras {
			if err := topics.CheckGlob(glob); err != nil {
				d.wrong(fmt.Sprintf("%s.cameras[%d]", at, k), err.Error())
			}
		}
		for k, tag := range s.CameraTags {
			if err := topics.CheckTag(tag); err != nil {
				d.wrong(fmt.Sprintf("%s.camera_tags[%d]", at, k), err.Error())
			}
		}
	}
}

// maxProfiles bounds notify.profiles.
const maxProfiles = 100

// checkProfiles checks notify.profiles.
func (d *document) checkProfiles(all []Profile) {
	if len(all) > maxProfiles {
		d.wrong("notify.profiles", fmt.Sprintf("%d: want at most %d", len(all), maxProfiles))
	}
	seen := map[string]bool{}
	for i, p := range all {
		at := fmt.Sprintf("notify.profiles[%d]", i)
		if err := topics.CheckProfileName(p.Name); err != nil {
			d.wrong(at+".name", err.Error())
		}
		if seen[p.Name] {
			d.wrong(at+".name", fmt.Sprintf("duplicate name %q", p.Name))
		}
		seen[p.Name] = true
		for k, c := range p.Disarm {
			path := fmt.Sprintf("%s.disarm[%d]", at, k)
			if c.IsZero() {
				d.wrong(path, "want rules, cameras or camera_tags; cameras: [\"*\"] disarms all")
			}
			if err := c.Check(); err != nil {
				d.wrong(path, strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		}
	}
}

func (d *document) checkLists(c Config) {
	d.checkVocabularies(c.Vocab)
	d.checkProfiles(c.Notify.Profiles)
	names := map[string]bool{}
	for i, cam := range c.Cameras {
		path := fmt.Sprintf("cameras[%d]", i)
		if err := cam.Record().Validate(); err != nil {
			d.wrong(path, err.Error())
		}
		d.timing(path, cmp.Or(cam.Window, c.Framer.Window), cmp.Or(cam.Stride, c.Framer.Stride))
		if names[cam.Name] {
			d.wrong(path, fmt.Sprintf("duplicate name %q", cam.Name))
		}
		names[cam.Name] = true
	}
}

// timing checks a window and a stride against the framer's own limits.
func (d *document) timing(path string, window time.Duration, stride topics.Stride) {
	var wrong *topics.TimesError
	if errors.As(topics.CheckTimes(window, stride), &wrong) {
		d.wrong(path+"."+wrong.Key, wrong.Text)
	}
}

func (d *document) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		d.wrong(path, fmt.Sprintf("%q: want %s", value, strings.Join(allowed, ", ")))
	}
}

func (d *document) address(path, value string) {
	if err := CheckAddress(value); err != nil {
		d.wrong(path, err.Error())
	}
}

// CheckAddress refuses what is not host:port. The error repeats nothing that looks like a URL,
// which may hold a password.
func CheckAddress(value string) error {
	_, port, err := net.SplitHostPort(value)
	odd := strings.ContainsAny(value, "@/?#")
	if n, convert := strconv.Atoi(port); err == nil && convert == nil && n >= 0 && n <= 65535 && !odd {
		return nil
	}
	if odd {
		value = hidden
	}
	return fmt.Errorf("%.80q: want host:port", value)
}

func inRange[T cmp.Ordered](d *document, path string, value, low, high T) {
	// Written so that NaN is refused.
	if inside := value >= low && value <= high; !inside {
		d.wrong(path, fmt.Sprintf("%v: want %v to %v", value, low, high))
	}
}
