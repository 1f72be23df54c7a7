// Package console is the web page on which people see their cameras, and its HTTP API.
// It reads what the stages write and decides nothing itself.
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/access"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/console/timeline"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Options of a Console. All are required but those of which is said what is without them.
type Options struct {
	Bus     *bus.Client
	Names   topics.Names
	Cameras *cameras.Table
	Past    *archive.Reader // reads clips and recognitions
	Alerts  *alertlog.Log
	Version string // of the program
	// Access is how the console is reached and by whom; without it, whoever is on this
	// machine.
	Access config.Console
	// Redis has the words and the rules; without it there are none to show.
	Redis *redis.Client
	// Config is the configuration at the start: what it allows to cameras. Empty: the default.
	Config config.Config
	Own    []topics.Camera // that the operator has given by flags, as to ingest
	// Texts are words that labels are made of, beside those that everybody knows.
	Texts []string
	// Probe tries a camera. What a stream makes of the decoder should not reach the console's
	// process: nil, ingest.Probe, is for tests.
	Probe func(context.Context, ingest.ProbeOptions, topics.Camera) (ingest.Probed, error)

	Logger   *slog.Logger
	Reporter telemetry.Reporter // nil: telemetry.Quiet
}

// Console follows the cameras and serves the page. Run and Handler work together: what
// the handler shows is what Run has read.
type Console struct {
	Options
	cameras *cameras.Live
	wall    *wall
	loops   *loops
	fleet   *recent[fleet.Fleet]
	pages   pages
	handler http.Handler

	gate     *access.Gate
	entering sync.Mutex // a site
	site     atomic.Pointer[site]
	local    who
	// described is the API, by which refusals are written.
	described huma.API
	queue     *queue
	days      *days
	counted   *countedDays
	lately    *raisedDays
	pulse     *pulse
	// deciding is held by who edits; waiting bounds those who want to. decisions are
	// guarded by it.
	deciding, waiting chan struct{}
	decisions         []decision
	finding           chan struct{} // bounds what is looked for in the log
	films             chan struct{} // bounds what is sent for long
	past              *timeline.Reader
	timelines         chan struct{} // bounds those that are read at a time
	tries, finders    places        // bound what connects to cameras
	key               [32]byte      // of versions
	readHistory       func(context.Context, *history) error
	rules             *rulebook
	asking            asking
	looking           *shares // of readers of events, by user
	questions         *shares // likewise, and so on
	replays, looks    *shares
	reader            func() (vocab.Reader, error) // how the model reads words
	advising          chan struct{}                // guards advised
	advised           advised
}

// findingAtOnce bounds the readings of the log at a time, of up to some 100 MB each.
const findingAtOnce = 4

// New checks the options.
func New(o Options) (*Console, error) {
	if o.Bus == nil || o.Cameras == nil || o.Past == nil || o.Alerts == nil || o.Logger == nil {
		return nil, errors.New("console: bus, cameras, past, alerts and logger are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	if o.Probe == nil {
		o.Probe = ingest.Probe
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	c := &Console{Options: o, cameras: o.Cameras.Live(), wall: newWall(), loops: newLoops(o.Past.Clip), pages: pages}
	c.fleet = newRecent(fleetAge, func(ctx context.Context) (fleet.Fleet, error) { return fleet.Read(ctx, o.Bus, o.Names) })
	c.queue, c.days = newQueue(time.Now(), c.wall), newDays(o.Alerts.List)
	c.counted = newCountedDays(c.days, o.Alerts.Each)
	c.lately, c.pulse = newRaisedDays(c.days), newPulse()
	c.deciding, c.waiting = make(chan struct{}, 1), make(chan struct{}, decidingAtOnce)
	c.finding, c.films = make(chan struct{}, findingAtOnce), make(chan struct{}, filmsAtOnce)
	c.past, c.timelines = timeline.NewReader(o.Past), make(chan struct{}, timelinesAtOnce)
	c.tries, c.finders = newPlaces(triesAtOnce, triesWaiting), newPlaces(1, 1)
	c.readHistory = c.historyOf
	_, _ = rand.Read(c.key[:]) // which never fails
	if len(c.Config.Ingest.Protocols) == 0 {
		c.Config = config.Default()
	}
	c.rules = newRulebook(c)
	c.looking, c.questions, c.replays, c.looks = newShares(lookingEach), newShares(eachUser), newShares(eachUser/2), newShares(eachUser)
	c.asking, c.advising = newAsking(), make(chan struct{}, 1)
	c.reader = sync.OnceValues(func() (vocab.Reader, error) { return words.NewReader(o.Texts...) })
	if c.Access.Listen == "" {
		c.Access.Listen = config.Default().Console.Listen
	}
	c.gate, c.local = access.NewGate(nil), localUser()
	inForce, err := newSite(c.Access)
	if err != nil {
		return nil, err
	}
	c.site.Store(inForce)
	c.gate.Set(inForce.users)
	c.handler = c.guard(c.admit(c.routes()))
	return c, nil
}

// Run follows cameras, recognitions and open alerts until ctx ends.
func (c *Console) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { c.cameras.Run(ctx) })
	parts.Go(func() { c.followCameras(ctx) })
	parts.Go(func() { c.followPasswords(ctx) })
	parts.Go(func() { c.followOpen(ctx) })
	parts.Go(func() { c.followThresholds(ctx) })
	parts.Go(func() { c.followActions(ctx) })
	parts.Go(func() { c.followAlerts(ctx) })
	parts.Go(func() { c.followMarks(ctx) })
	parts.Go(func() { c.followVerdicts(ctx) })
	<-ctx.Done()
	return nil
}

// Handler serves the page and the API.
func (c *Console) Handler() http.Handler { return c.handler }
