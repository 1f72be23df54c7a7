package console

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/topics"
)

// onlyAllEdit is what those who see some cameras are answered.
const onlyAllEdit = "cameras are looked after by those who see every camera"

// camerasAPI adds what edits cameras.
func (c *Console) camerasAPI(api huma.API) {
	huma.Get(api, "/api/v1/camera-table", c.listTable, named("list-camera-table", "Every camera: what its stream is, and who put it"), c.whole(viewer, onlyAllEdit))
	huma.Get(api, "/api/v1/cameras/{camera}/history", c.getHistory, named("get-history", "What a camera's stream did, as far back as Kafka keeps it"), c.needs(viewer))
	huma.Get(api, "/api/v1/cameras/{camera}/settings", c.getSettings, named("get-settings", "A camera's settings, without secrets"), c.whole(admin, onlyAllEdit))
	huma.Post(api, "/api/v1/cameras", c.addCamera, named("add-camera", "Add a camera"), c.whole(admin, onlyAllEdit))
	huma.Patch(api, "/api/v1/cameras/{camera}", c.changeCamera, named("change-camera", "Change what is given of a camera, and nothing else"), c.whole(admin, onlyAllEdit))
	huma.Delete(api, "/api/v1/cameras/{camera}", c.removeCamera, named("remove-camera", "Remove a camera"), c.whole(admin, onlyAllEdit))
	huma.Post(api, "/api/v1/camera-tries", c.tryCamera, named("try-camera", "Connect to an address and say what comes, or which part is wrong"), c.whole(admin, onlyAllEdit))
	huma.Post(api, "/api/v1/camera-discoveries", c.discoverCameras, named("discover-cameras", "Ask the local network for cameras (ONVIF)"), c.whole(admin, onlyAllEdit))
}

// CameraRow is a camera in the table. Its texts are cleaned.
type CameraRow struct {
	Camera   string    `json:"camera"`
	Source   string    `json:"source" enum:"person,file,up" doc:"who put it; one of a file is changed there"`
	State    string    `json:"state" enum:"streaming,connecting,waiting,stopped,unknown" doc:"of its stream"`
	Since    time.Time `json:"since,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	RetryAt  time.Time `json:"retry_at,omitzero"`
	Codec    string    `json:"codec,omitempty"`
	Width    int       `json:"width,omitempty"`
	Height   int       `json:"height,omitempty"`
	FPS      float64   `json:"fps,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	Views    []string  `json:"views,omitempty" doc:"absent: framer.views of the configuration"`
	Masks    int       `json:"masks,omitempty"`
	Zones    []string  `json:"zones,omitempty"`
	Two      bool      `json:"two_streams,omitempty" doc:"a smaller stream is looked at, and films are of the other"`
	Disabled bool      `json:"disabled,omitempty" doc:"nothing connects to it"`
}

type tableOutput struct {
	Body struct {
		Cameras []CameraRow `json:"cameras"`
		Fault   string      `json:"fault,omitempty" doc:"why this may be old"`
	}
}

func (c *Console) listTable(_ context.Context, _ *struct{}) (*tableOutput, error) {
	all, err := c.cameras.List()
	out := &tableOutput{}
	out.Body.Cameras = make([]CameraRow, 0, len(all))
	for _, e := range all {
		out.Body.Cameras = append(out.Body.Cameras, rowOf(e))
	}
	if err != nil {
		out.Body.Fault = topics.Clean(err.Error())
	}
	return out, nil
}

func rowOf(e cameras.Entry) CameraRow {
	s := e.Status
	row := CameraRow{
		Camera: e.Name, Source: cmp.Or(e.Source, topics.SourcePerson), State: cmp.Or(string(s.State), "unknown"), Since: s.Since, Reason: s.Why(), RetryAt: s.RetryAt,
		Codec: s.Codec, Width: s.Width, Height: s.Height, FPS: cmp.Or(s.Rate, s.FPS), Tags: cleaned(e.Tags), Masks: len(e.Masks), Two: e.Watch != "", Disabled: e.Disabled,
	}
	for _, v := range e.Views {
		row.Views = append(row.Views, string(v))
	}
	for _, z := range topics.ZonesOf(e.Zones) {
		row.Zones = append(row.Zones, z.Name)
	}
	return row
}

// editor edits the table as the commands do.
func (c *Console) editor() cameraedit.Editor {
	trust := cameraedit.TrustOf(c.Config)
	trust.Own = append(trust.Own, c.Own...)
	return cameraedit.Editor{Table: c.Cameras, Limits: cameraedit.LimitsOf(c.Config), Trust: trust}
}

// version identifies a record without saying anything of it: two edits at once don't undo
// each other's.
func (c *Console) version(camera topics.Camera) string {
	value, err := topics.EncodeCamera(camera)
	if err != nil {
		return ""
	}
	sum := hmac.New(sha256.New, c.key[:])
	_, _ = sum.Write(value)
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// stored is a camera's record, read anew.
func (c *Console) stored(ctx context.Context, name string) (topics.Camera, error) {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	camera, err := c.Cameras.Get(ctx, name)
	switch {
	case errors.Is(err, cameras.ErrUnknown):
		return camera, noCamera(name)
	case err != nil:
		return camera, huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	}
	return camera, nil
}

// changeable is stored, of a camera that the console may change.
func (c *Console) changeable(ctx context.Context, name string) (topics.Camera, error) {
	camera, err := c.stored(ctx, name)
	if err == nil && camera.Source == topics.SourceFile {
		err = huma.Error409Conflict("camera " + topics.Clean(name) + " is of a configuration file (cameras): change it there")
	}
	return camera, err
}

// refusal is an error of an edit, for the page.
func refusal(err error) error {
	return huma.Error422UnprocessableEntity(topics.Clean(err.Error()))
}

// mayEditCameras is whether who makes a request may.
func (c *Console) mayEditCameras(ctx context.Context) bool {
	w := c.whoOf(ctx)
	return w.All && w.Role >= admin
}

func (c *Console) camerasPage(w http.ResponseWriter, r *http.Request) {
	if !c.whoOf(r.Context()).All {
		c.refusePage(w, r, "Cameras are looked after by those who see every camera")
		return
	}
	c.show(w, r, http.StatusOK, view{Page: "cameras", Title: "Cameras"})
}

func (c *Console) cameraEditPage(w http.ResponseWriter, r *http.Request) {
	if !c.mayEditCameras(r.Context()) {
		c.refusePage(w, r, "This needs the role admin, and to see every camera")
		return
	}
	name := r.PathValue("camera")
	t, _, known := c.tile(r.Context(), name)
	if !known {
		c.show(w, r, http.StatusNotFound, view{Page: "camera-edit", Title: "No such camera", Fault: "There is no camera " + topics.Clean(name) + "."})
		return
	}
	c.show(w, r, http.StatusOK, view{Page: "camera-edit", Title: t.Camera + ": edit", Tile: t})
}
