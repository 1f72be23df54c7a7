package console

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// fleetAge is how old the state of the fleet may be that is shown.
	fleetAge = 3 * time.Second
	// fleetTime bounds how long it is waited for.
	fleetTime = 10 * time.Second
)

// api adds /api/v1, which describes itself at /api/v1/openapi.json.
func (c *Console) api(mux *router) huma.API {
	config := huma.DefaultConfig("Frostwatch", c.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/v1/openapi", "", "/api/v1/schemas" // its page of docs loads scripts from elsewhere
	config.CreateHooks = nil                                                                           // adds the address of a schema to each answer
	config.Transformers = append(config.Transformers, fitToShow)
	api := humago.New(mux, config)
	c.described = api
	huma.Get(api, "/api/v1/cameras", c.listCameras, named("list-cameras", "What every camera shows"), c.needs(viewer))
	huma.Get(api, "/api/v1/cameras/{camera}", c.getCamera, named("get-camera", "What a camera shows"), c.needs(viewer))
	huma.Get(api, "/api/v1/cameras/{camera}/loop", c.getLoop, named("get-loop", "The pictures of a camera's newest clip, one below the other in a JPEG"), c.needs(viewer))
	huma.Get(api, "/api/v1/me", c.getMe, named("get-me", "Who asks, and what they may do"), c.needs(viewer))
	huma.Get(api, "/api/v1/health", c.getHealth, named("get-health", "Workers, cameras, open alerts, and what is wrong"), c.needs(viewer))
	c.pulseAPI(api)
	c.reviewAPI(api)
	c.timelineAPI(api)
	c.camerasAPI(api)
	c.rulesAPI(api)
	c.wordsAPI(api)
	c.searchAPI(api)
	describePictures(api.OpenAPI())
	return api
}

// describePictures says of what answers bytes that they are a picture, not text in JSON.
func describePictures(described *huma.OpenAPI) {
	for _, path := range described.Paths {
		if path.Get == nil || path.Get.Responses["200"] == nil {
			continue
		}
		answer := path.Get.Responses["200"]
		if m := answer.Content["application/json"]; m != nil && m.Schema != nil && m.Schema.ContentEncoding == "base64" {
			answer.Content = map[string]*huma.MediaType{"image/jpeg": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		}
	}
}

// fitToShow makes refusals fit to be shown: what was sent is not repeated raw, nor whole,
// since it may have a secret.
func fitToShow(_ huma.Context, _ string, v any) (any, error) {
	e, is := v.(*huma.ErrorModel)
	if !is {
		return v, nil
	}
	e.Detail = topics.Clean(e.Detail)
	for _, d := range e.Errors {
		d.Message, d.Location, d.Value = topics.Clean(d.Message), topics.Clean(d.Location), nil
	}
	return e, nil
}

func named(id, summary string) func(*huma.Operation) {
	return func(o *huma.Operation) { o.OperationID, o.Summary = id, summary }
}

type tilesOutput struct {
	Body struct {
		Cameras []Tile `json:"cameras"`
		Fault   string `json:"fault,omitempty" doc:"why this may be old"`
	}
}

func (c *Console) listCameras(ctx context.Context, _ *struct{}) (*tilesOutput, error) {
	out := &tilesOutput{}
	out.Body.Cameras = c.wall.all(c.whoOf(ctx))
	out.Body.Fault = c.wallFault(ctx)
	return out, nil
}

type cameraInput struct {
	Camera string `path:"camera" maxLength:"64" doc:"name of the camera"`
}

type tileOutput struct{ Body Tile }

func (c *Console) getCamera(ctx context.Context, in *cameraInput) (*tileOutput, error) {
	t, _, known := c.tile(ctx, in.Camera)
	if !known {
		return nil, noCamera(in.Camera)
	}
	return &tileOutput{t}, nil
}

func noCamera(name string) error {
	return huma.Error404NotFound("there is no camera " + topics.Clean(name))
}

type loopInput struct {
	Camera string `path:"camera" maxLength:"64" doc:"name of the camera"`
	Clip   string `query:"clip" maxLength:"200" doc:"id of the newest clip as it is known: the newest is answered in any case, and may be kept only if it is this one"`
}

type loopOutput struct {
	Type  string `header:"Content-Type"`
	Cache string `header:"Cache-Control"`
	Body  []byte
}

func (c *Console) getLoop(ctx context.Context, in *loopInput) (*loopOutput, error) {
	t, at, known := c.tile(ctx, in.Camera)
	switch {
	case !known:
		return nil, noCamera(in.Camera)
	case t.Clip == "":
		return nil, huma.Error404NotFound("no clip of the camera has been recognised yet")
	}
	body, err := c.loops.of(ctx, t.Camera, t.Clip, at)
	switch {
	case errors.Is(err, archive.ErrGone):
		return nil, huma.Error404NotFound("Kafka no longer keeps the clip")
	case err != nil:
		c.Logger.WarnContext(ctx, "no pictures of a clip", "camera", t.Camera, "error", topics.Clean(err.Error()))
		return nil, huma.Error503ServiceUnavailable("the clip can't be read: " + topics.Clean(err.Error()))
	}
	out := &loopOutput{Type: "image/jpeg", Cache: "no-store", Body: body}
	if in.Clip == t.Clip { // who knows an older one only gets the newest, which is no answer for the next time
		out.Cache = "private, max-age=60, immutable"
	}
	return out, nil
}

type healthOutput struct{ Body fleet.Fleet }

func (c *Console) getHealth(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	f, err := c.health(ctx)
	if err != nil {
		return nil, huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	}
	return &healthOutput{f}, nil
}

func (c *Console) health(ctx context.Context) (fleet.Fleet, error) {
	ctx, cancel := context.WithTimeout(ctx, fleetTime)
	defer cancel()
	f, err := c.fleet.Get(ctx)
	if c.whoOf(ctx).All {
		return f, err
	}
	if err != nil {
		err = errHidden
	}
	see := c.sightOf(ctx)
	return f.Of(see.camera, func(a fleet.Alert) bool {
		return see.alert(aboutOf(topics.Alert{ID: a.ID, Rule: a.Rule, Camera: a.Camera, Cameras: a.Cameras}))
	}), err
}

// reason is an error's text, for who makes a request.
func (c *Console) reason(ctx context.Context, err error) string {
	if !c.whoOf(ctx).All {
		err = errHidden
	}
	return topics.Clean(err.Error())
}

// errHidden stands for errors to those who don't see every camera: they may name one.
var errHidden = errors.New("whoever sees every camera is shown why")

// wallFault is why what is shown may be old.
func (c *Console) wallFault(ctx context.Context) string {
	switch err := c.wall.fault(); {
	case err == nil:
		return ""
	case c.whoOf(ctx).All:
		return err.Error()
	}
	return "what is shown may be old: " + errHidden.Error()
}
