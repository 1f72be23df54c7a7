package console

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/topics"
)

// CameraLogin is what a camera asks for. It is never sent back.
type CameraLogin struct {
	User     string `json:"user" maxLength:"256" doc:"empty, with an empty password: none"`
	Password string `json:"password" maxLength:"512" doc:"also ${NAME}, a variable of the workers' environment"`
}

func (l *CameraLogin) login() *cameras.Login {
	if l == nil {
		return nil
	}
	return &cameras.Login{User: l.User, Password: l.Password}
}

// CameraEdit is what may be changed of a camera; what is absent stays.
type CameraEdit struct {
	URL       *string            `json:"url,omitempty" maxLength:"8192" doc:"*** stands for what is stored there, on the same server only"`
	Watch     *string            `json:"watch,omitempty" maxLength:"8192" doc:"a smaller stream of the same camera, which is looked at; empty: none"`
	Login     *CameraLogin       `json:"login,omitempty" doc:"for both streams; absent: as stored, on the same server only"`
	Transport *string            `json:"transport,omitempty" enum:",tcp,udp"`
	Tags      *[]string          `json:"tags,omitempty" maxItems:"32"`
	Views     *[]string          `json:"views,omitempty" maxItems:"4" doc:"empty: framer.views of the configuration"`
	Decode    *string            `json:"decode,omitempty" enum:",always,demand"`
	Record    *string            `json:"record,omitempty" enum:",none,events"`
	Disabled  *bool              `json:"disabled,omitempty" doc:"nothing connects to it"`
	Masks     *[]string          `json:"masks,omitempty" maxItems:"32" doc:"each its corners in fractions of the picture, such as 0,0 0.4,0 0.4,0.3"`
	Zones     *map[string]string `json:"zones,omitempty" maxProperties:"8" doc:"corners by name"`
}

// apply changes a camera.
func (e CameraEdit) apply(c *topics.Camera) error {
	if err := e.applyAddresses(c); err != nil {
		return err
	}
	set(&c.Transport, e.Transport)
	set(&c.Tags, e.Tags)
	set(&c.Disabled, e.Disabled)
	if e.Decode != nil {
		c.Decode = topics.Decode(*e.Decode)
	}
	if e.Record != nil {
		c.Record = topics.Record(*e.Record)
	}
	if e.Views != nil {
		c.Views = nil
		for _, v := range *e.Views {
			c.Views = append(c.Views, topics.View(v))
		}
	}
	return e.applyAreas(c)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// applyAddresses changes the URLs. What is stored of a login stays with its server.
func (e CameraEdit) applyAddresses(c *topics.Camera) error {
	if e.URL == nil && e.Watch == nil && e.Login == nil {
		return nil
	}
	main, watch := cameras.ShownURL(c.URL), cameras.ShownURL(c.Watch)
	set(&main, e.URL)
	set(&watch, e.Watch)
	var err error
	if c.URL, err = cameras.Retyped(c.URL, main, e.Login.login()); err != nil {
		return errors.New("url: " + err.Error())
	}
	if c.Watch, err = cameras.RetypedWatch(c.Watch, watch, c.URL, e.Login.login()); err != nil {
		return errors.New("watch: " + err.Error())
	}
	return nil
}

func (e CameraEdit) applyAreas(c *topics.Camera) error {
	if e.Masks != nil {
		c.Masks = nil
		for _, text := range *e.Masks {
			var area topics.Polygon
			if err := area.UnmarshalText([]byte(text)); err != nil {
				return errors.New("mask: " + err.Error())
			}
			c.Masks = append(c.Masks, area)
		}
	}
	if e.Zones == nil {
		return nil
	}
	c.Zones = nil
	for name, text := range *e.Zones {
		var area topics.Polygon
		if err := area.UnmarshalText([]byte(text)); err != nil {
			return errors.New("zone: " + err.Error())
		}
		if c.Zones == nil {
			c.Zones = map[string]topics.Polygon{}
		}
		c.Zones[name] = area
	}
	return nil
}

// beyondTags is whether more than the tags is changed.
func (e CameraEdit) beyondTags() bool {
	e.Tags = nil
	return e != CameraEdit{}
}

type addInput struct {
	Body struct {
		Camera string `json:"camera" maxLength:"64" doc:"its name"`
		CameraEdit
	}
}

type changeInput struct {
	Camera string `path:"camera" maxLength:"64" doc:"name of the camera"`
	Body   struct {
		Version string `json:"version,omitempty" maxLength:"64" doc:"of the settings that were looked at: a newer edit is not undone"`
		CameraEdit
	}
}

type removeInput struct {
	Camera string `path:"camera" maxLength:"64" doc:"name of the camera"`
}

type settingsOutput struct{ Body CameraSettings }

func (c *Console) addCamera(ctx context.Context, in *addInput) (*settingsOutput, error) {
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	camera := topics.Camera{Name: in.Body.Camera, Source: topics.SourcePerson}
	if err := in.Body.apply(&camera); err != nil {
		return nil, refusal(err)
	}
	editor := c.editor()
	if err := editor.Limits.Validate(camera); err != nil {
		return nil, refusal(err)
	}
	switch _, err := c.Cameras.Get(ctx, camera.Name); {
	case err == nil:
		return nil, huma.Error409Conflict("there is a camera " + topics.Clean(camera.Name) + " already: choose another name, or edit that one")
	case !errors.Is(err, cameras.ErrUnknown):
		return nil, huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	}
	did, err := editor.Add(ctx, camera)
	return c.edited(ctx, "add camera", camera, did, err)
}

func (c *Console) changeCamera(ctx context.Context, in *changeInput) (*settingsOutput, error) {
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	was, err := c.changeable(ctx, in.Camera)
	if err != nil {
		return nil, err
	}
	if v := in.Body.Version; v != "" && v != c.version(was) {
		return nil, huma.Error409Conflict("camera " + topics.Clean(in.Camera) + " was changed meanwhile: load it again")
	}
	camera := was
	if err := in.Body.apply(&camera); err != nil {
		return nil, refusal(errors.New("camera " + camera.Name + ": " + err.Error()))
	}
	camera = cameraedit.Own(camera, in.Body.beyondTags())
	editor := c.editor()
	if err := editor.Limits.Validate(camera); err != nil {
		return nil, refusal(err)
	}
	did, err := editor.Change(ctx, was, camera)
	return c.edited(ctx, "change camera", camera, did, err)
}

// edited is what is answered after an edit, and logs it.
func (c *Console) edited(ctx context.Context, what string, camera topics.Camera, did cameraedit.Outcome, err error) (*settingsOutput, error) {
	if err != nil {
		return nil, huma.Error503ServiceUnavailable("the edit can't be recorded: " + topics.Clean(err.Error()))
	}
	if did.Changed {
		c.audit(ctx, what, "camera", camera.Name, "url", cameras.ShownURL(camera.URL), "disabled", camera.Disabled, "masks", len(camera.Masks), "zones", len(camera.Zones))
	}
	out := &settingsOutput{c.settings(camera)}
	out.Body.Warnings, out.Body.Notes = cleaned(did.Warnings), cleaned(did.Notes)
	return out, nil
}

func (c *Console) removeCamera(ctx context.Context, in *removeInput) (*struct{}, error) {
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	camera, err := c.changeable(ctx, in.Camera)
	if err != nil {
		return nil, err
	}
	if err := c.Cameras.Remove(ctx, camera.Name); err != nil {
		return nil, huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	}
	c.audit(ctx, "remove camera", "camera", camera.Name)
	return nil, nil
}

// CameraSettings are a camera's for who edits it, without secrets.
type CameraSettings struct {
	Camera    string            `json:"camera"`
	Version   string            `json:"version" doc:"changes with each edit"`
	Source    string            `json:"source" enum:"person,file,up"`
	ReadOnly  string            `json:"read_only,omitempty" doc:"why it can't be changed here"`
	URL       string            `json:"url" doc:"without user name and password; *** stands for what is hidden"`
	Watch     string            `json:"watch,omitempty" doc:"the same of the smaller stream"`
	Login     bool              `json:"login" doc:"a user name is stored"`
	Transport string            `json:"transport,omitempty"`
	Tags      []string          `json:"tags"`
	Views     []string          `json:"views"`
	Decode    string            `json:"decode,omitempty"`
	Record    string            `json:"record,omitempty"`
	Disabled  bool              `json:"disabled"`
	Masks     []string          `json:"masks"`
	Zones     map[string]string `json:"zones"`
	Warnings  []string          `json:"warnings,omitempty"`
	Notes     []string          `json:"notes,omitempty"`
}

func (c *Console) getSettings(ctx context.Context, in *cameraInput) (*settingsOutput, error) {
	camera, err := c.stored(ctx, in.Camera)
	if err != nil {
		return nil, err
	}
	return &settingsOutput{c.settings(camera)}, nil
}

func (c *Console) settings(camera topics.Camera) CameraSettings {
	row := rowOf(cameras.Entry{Camera: camera})
	out := CameraSettings{
		Camera: camera.Name, Version: c.version(camera), Source: row.Source, URL: cameras.ShownURL(camera.URL), Login: cameras.HasLogin(camera.URL),
		Transport: camera.Transport, Tags: append([]string{}, row.Tags...), Views: append([]string{}, row.Views...), Decode: string(camera.Decode), Record: string(camera.Record),
		Disabled: camera.Disabled, Masks: []string{}, Zones: map[string]string{},
	}
	if camera.Watch != "" {
		out.Watch = cameras.ShownURL(camera.Watch)
	}
	if camera.Source == topics.SourceFile {
		out.ReadOnly = "It is of a configuration file (cameras): change it there."
	}
	for _, m := range camera.Masks {
		out.Masks = append(out.Masks, m.String())
	}
	for name, z := range camera.Zones {
		out.Zones[name] = z.String()
	}
	return out
}
