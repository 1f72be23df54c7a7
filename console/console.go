// Package console is the web page on which people see their cameras, and its HTTP API.
// It reads what the stages write and decides nothing itself.
package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a Console. All but Reporter are required.
type Options struct {
	Bus     *bus.Client
	Names   topics.Names
	Cameras *cameras.Table
	Past    *archive.Reader // reads clips
	Version string          // of the program

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
}

// New checks the options.
func New(o Options) (*Console, error) {
	if o.Bus == nil || o.Cameras == nil || o.Past == nil || o.Logger == nil {
		return nil, errors.New("console: bus, cameras, past and logger are required")
	}
	if o.Reporter == nil {
		o.Reporter = telemetry.Quiet{}
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	c := &Console{Options: o, cameras: o.Cameras.Live(), wall: newWall(), loops: newLoops(o.Past.Clip), pages: pages}
	c.fleet = newRecent(fleetAge, func(ctx context.Context) (fleet.Fleet, error) { return fleet.Read(ctx, o.Bus, o.Names) })
	c.handler = c.routes()
	return c, nil
}

// Run follows cameras, recognitions and open alerts until ctx ends.
func (c *Console) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { c.cameras.Run(ctx) })
	parts.Go(func() { c.followCameras(ctx) })
	parts.Go(func() { c.followOpen(ctx) })
	parts.Go(func() { c.followThresholds(ctx) })
	parts.Go(func() { c.followActions(ctx) })
	<-ctx.Done()
	return nil
}

// Handler serves the page and the API.
func (c *Console) Handler() http.Handler { return c.handler }
