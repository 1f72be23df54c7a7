// Package config reads pipeline.yaml. The file in the repository documents
// every key; a test proves that it equals Default.
package config

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Config is everything that can be configured. The yaml names are the keys.
type Config struct {
	Kafka     Kafka     `yaml:"kafka"`
	Redis     Redis     `yaml:"redis"`
	HTTP      HTTP      `yaml:"http"`
	Log       Log       `yaml:"log"`
	Telemetry Telemetry `yaml:"telemetry"`
	Ingest    Ingest    `yaml:"ingest"`
	Framer    Framer    `yaml:"framer"`
	Infer     Infer     `yaml:"infer"`
	Vocab     Vocab     `yaml:"vocab"`
	Alerts    Alerts    `yaml:"alerts"`
	Calibrate Calibrate `yaml:"calibrate"`
	Archive   Archive   `yaml:"archive"`
	Notify    Notify    `yaml:"notify"`
	Console   Console   `yaml:"console"`
	Cameras   []Camera  `yaml:"cameras"`
	Rules     Raw       `yaml:"rules"` // decoded by alerts.Compile
}

// Kafka is how to reach the cluster.
type Kafka struct {
	Brokers     []string `yaml:"brokers"`
	Prefix      string   `yaml:"prefix"`
	Partitions  int      `yaml:"partitions"`
	Replication int      `yaml:"replication"`
	TLS         TLS      `yaml:"tls"`
	SASL        SASL     `yaml:"sasl"`
}

// SASL is the login at Kafka's brokers.
type SASL struct {
	Mechanism string `yaml:"mechanism"`
	Username  string `yaml:"username"`
	Password  Secret `yaml:"password"`
}

// At returns the configuration for a broker that `up` has started on this machine:
// without the TLS and login of the configured cluster.
func (k Kafka) At(broker string) Kafka {
	k.Brokers, k.Replication, k.TLS, k.SASL = []string{broker}, 1, TLS{}, SASL{}
	return k
}

// Redis is the server that stores vocabularies.
type Redis struct {
	Address  string   `yaml:"address"`
	Username string   `yaml:"username"`
	Password Secret   `yaml:"password"`
	Database int      `yaml:"database"`
	Prefix   string   `yaml:"prefix"`
	TLS      TLS      `yaml:"tls"`
	Sentinel Sentinel `yaml:"sentinel"`
}

// TLS secures connections to a server. Cert, Key and CA are files in PEM.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`
	CA         string `yaml:"ca"`
	Cert       string `yaml:"cert"`
	Key        string `yaml:"key"`
	ServerName string `yaml:"server_name"`
}

// Sentinel says how to find the Redis server that is master.
type Sentinel struct {
	Master    string   `yaml:"master"`
	Addresses []string `yaml:"addresses"`
	Username  string   `yaml:"username"`
	Password  Secret   `yaml:"password"`
}

// HTTP is the server of /healthz, /readyz and /metrics.
type HTTP struct {
	Listen string `yaml:"listen"`
}

// Log is what is logged to standard error.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Telemetry is where traces are exported to.
type Telemetry struct {
	OTLPEndpoint string  `yaml:"otlp_endpoint"`
	TraceRatio   float64 `yaml:"trace_ratio"`
}

// Ingest is how cameras are read.
type Ingest struct {
	Group         string        `yaml:"group"`
	Transport     string        `yaml:"transport"`
	Protocols     []string      `yaml:"protocols"`
	Env           []string      `yaml:"env"`
	Allow         []string      `yaml:"allow"`
	TLSVerify     bool          `yaml:"tls_verify"`
	TLSCA         string        `yaml:"tls_ca"`
	OpenTimeout   time.Duration `yaml:"open_timeout"`
	ReadTimeout   time.Duration `yaml:"read_timeout"`
	Watchdog      time.Duration `yaml:"watchdog"`
	Decode        topics.Decode `yaml:"decode"`
	DecodeThreads int           `yaml:"decode_threads"`
	// Processes are how many other processes read cameras at most; 0: this one does.
	Processes int           `yaml:"processes"`
	Record    topics.Record `yaml:"record"`
	Pre       time.Duration `yaml:"pre"`
	Post      time.Duration `yaml:"post"`
	Packets   Packets       `yaml:"packets"`
	Backoff   Backoff       `yaml:"backoff"`
}

// Packets is where cameras' packets are kept, of which films of alerts are made.
type Packets struct {
	Dir    string `yaml:"dir"`
	Camera Bytes  `yaml:"camera"`
	Total  Bytes  `yaml:"total"`
	Spare  Bytes  `yaml:"spare"`
}

// Backoff is the wait between two tries to connect.
type Backoff struct {
	Min        time.Duration `yaml:"min"`
	Max        time.Duration `yaml:"max"`
	ResetAfter time.Duration `yaml:"reset_after"`
}

// Framer is how clips are cut.
type Framer struct {
	Window      time.Duration `yaml:"window"`
	Stride      topics.Stride `yaml:"stride"`
	Views       []topics.View `yaml:"views"`
	ShortSide   int           `yaml:"short_side"`
	JPEGQuality int           `yaml:"jpeg_quality"`
	Queue       int           `yaml:"queue"`
	AcceptView  time.Duration `yaml:"accept_view"`
}

// Infer is how clips are recognised.
type Infer struct {
	Group    string        `yaml:"group"`
	Bundle   string        `yaml:"bundle"`
	Runtime  string        `yaml:"runtime"`
	Provider string        `yaml:"provider"`
	Threads  int           `yaml:"threads"`
	MaxBatch int           `yaml:"max_batch"`
	MaxWait  time.Duration `yaml:"max_wait"`
	MaxAge   time.Duration `yaml:"max_age"`
	TopK     int           `yaml:"top_k"`
	// QuietEvery is of how many clips of a quiet spell the model sees one.
	QuietEvery int `yaml:"quiet_every"`
}

// Vocab is which vocabularies are used.
type Vocab struct {
	Name string        `yaml:"name"`
	Poll time.Duration `yaml:"poll"`
	Sets []VocabSet    `yaml:"sets"`
}

// VocabSet is a vocabulary beside the default one, and the cameras that use it.
type VocabSet struct {
	Name       string   `yaml:"name" json:"name"`
	Cameras    []string `yaml:"cameras" json:"cameras,omitempty"` // globs over names
	CameraTags []string `yaml:"camera_tags" json:"camera_tags,omitempty"`
}

// Of is the name of the vocabulary that a camera uses: the one that its record names,
// or else that of the first set that it is in, or else the default one.
func (v Vocab) Of(c topics.Camera) string {
	if c.Vocabulary != "" {
		return c.Vocabulary
	}
	for _, s := range v.Sets {
		if topics.Chosen(c.Name, c.Tags, s.Cameras, s.CameraTags) {
			return s.Name
		}
	}
	return v.Name
}

// Calibrate is how thresholds are found that keep budgets of false alarms.
type Calibrate struct {
	Group string `yaml:"group"`
}

// Alerts is how rules are evaluated.
type Alerts struct {
	Group string `yaml:"group"`
}

// Notify is what alerts are delivered to.
type Notify struct {
	Group     string `yaml:"group"`
	Receivers Raw    `yaml:"receivers"` // decoded by notify.Compile
	// Profiles are sets of rules and cameras whose alerts are not delivered; people put
	// one in force while everything runs.
	Profiles []Profile `yaml:"profiles"`
	Verify   Raw       `yaml:"verify"` // decoded by notify.CompileVerify
}

// Profile is a state of the place that is watched, such as that somebody is at home.
type Profile struct {
	Name   string          `yaml:"name"`
	Disarm []topics.Choice `yaml:"disarm"` // empty: none
}

// Archive is how recognitions and alerts are kept.
type Archive struct {
	Bucket    string    `yaml:"bucket"`
	Group     string    `yaml:"group"`
	Retention Retention `yaml:"retention"`
}

// NoArchive is the value of bucket that turns the archive off.
const NoArchive = "none"

// Retention bounds the archive; 0 means no bound.
type Retention struct {
	Actions Age   `yaml:"actions"`
	Alerts  Age   `yaml:"alerts"`
	Films   Bytes `yaml:"films"`
	Size    Bytes `yaml:"size"`
}

// Camera is a camera that the file brings to the table of cameras.
type Camera struct {
	Name      string        `yaml:"name"`
	URL       Secret        `yaml:"url"` // ${NAME} in it is left for the ingest worker
	Watch     Secret        `yaml:"watch"`
	Tags      []string      `yaml:"tags"`
	Transport string        `yaml:"transport"`
	Stride    topics.Stride `yaml:"stride"`
	Window    time.Duration `yaml:"window"`
	// Vocabulary that its clips are scored against.
	Vocabulary     string                    `yaml:"vocabulary"`
	Poll           time.Duration             `yaml:"poll"`
	TLSVerify      *bool                     `yaml:"tls_verify"`
	TLSFingerprint string                    `yaml:"tls_fingerprint"`
	Views          []topics.View             `yaml:"views"`
	Masks          []topics.Polygon          `yaml:"masks"`
	Zones          map[string]topics.Polygon `yaml:"zones"`
	Decode         topics.Decode             `yaml:"decode"`
	Kept           topics.Record             `yaml:"record"`
	Disabled       bool                      `yaml:"disabled"`
	Pre            *time.Duration            `yaml:"pre"`
	Post           *time.Duration            `yaml:"post"`
}

// Record returns the camera as it is written to the topic.
func (c Camera) Record() topics.Camera {
	return topics.Camera{
		Name: c.Name, URL: c.URL.Reveal(), Watch: c.Watch.Reveal(), Tags: c.Tags, Transport: c.Transport,
		Stride: c.Stride, Window: topics.Duration(c.Window), Vocabulary: c.Vocabulary, Views: c.Views, Masks: c.Masks, Zones: c.Zones, Decode: c.Decode,
		Record: c.Kept, Disabled: c.Disabled, Pre: (*topics.Duration)(c.Pre), Post: (*topics.Duration)(c.Post),
		Poll: topics.Duration(c.Poll), TLSVerify: c.TLSVerify, TLSFingerprint: c.TLSFingerprint,
	}
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Kafka:     Kafka{Brokers: []string{"127.0.0.1:9092"}, Prefix: topics.DefaultPrefix, Partitions: 12, Replication: 1},
		Redis:     Redis{Address: "127.0.0.1:6379", Prefix: "frostwatch:", Sentinel: Sentinel{Addresses: []string{}}},
		Log:       Log{Level: "info", Format: "text"},
		Telemetry: Telemetry{TraceRatio: 1},
		Ingest: Ingest{
			Group: "frostwatch-ingest", Transport: "tcp", Protocols: []string{"rtsp", "rtsps", "http", "https", "file"}, Env: []string{}, Allow: []string{}, TLSVerify: true,
			OpenTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, Watchdog: 15 * time.Second, Decode: topics.DecodeAlways, DecodeThreads: 1,
			Record: topics.RecordEvents, Pre: 10 * time.Second, Post: 5 * time.Second, Packets: Packets{Camera: 128e6, Total: 8e9, Spare: 1e9},
			Backoff: Backoff{Min: time.Second, Max: time.Minute, ResetAfter: time.Minute},
		},
		Framer: Framer{Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}, Views: topics.DefaultViews(), ShortSide: 224, JPEGQuality: 90, Queue: 8, AcceptView: time.Hour},
		Infer: Infer{
			Group: "frostwatch-infer", Bundle: "models/frost-mini", Provider: "cpu",
			MaxBatch: 8, MaxWait: 50 * time.Millisecond, MaxAge: 30 * time.Second, TopK: 10, QuietEvery: 4,
		},
		Vocab:     Vocab{Name: "default", Poll: 250 * time.Millisecond, Sets: []VocabSet{}},
		Alerts:    Alerts{Group: "frostwatch-alerts"},
		Calibrate: Calibrate{Group: "frostwatch-calibrate"},
		Archive:   Archive{Group: "frostwatch-archive", Retention: Retention{Actions: Age(90 * day), Alerts: Age(365 * day)}},
		Notify:    Notify{Group: "frostwatch-notify", Profiles: []Profile{}},
		Console:   Console{Listen: "127.0.0.1:8070", Hosts: []string{}, Proxies: []string{}, Users: []ConsoleUser{}, Tokens: []ConsoleToken{}},
		Cameras:   []Camera{},
	}
}
