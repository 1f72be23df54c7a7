package topics

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// View is a way to look at a camera's picture: which squares of it the model sees.
type View string

// The views.
const (
	ViewCentre View = "centre" // the square in the middle, which FROSTER was trained on
	ViewTiles  View = "tiles"  // squares that cover the picture and overlap by half at least
	ViewSquash View = "squash" // the whole picture, squeezed into a square
	ViewZoom   View = "zoom"   // a square around what moves, in the source's own pixels; none where nothing does
)

// DefaultViews are those of a clip whose camera names none.
func DefaultViews() []View { return []View{ViewCentre} }

// CheckViews returns an error if no camera may have these views. Zoom can't be the
// first: a recognition's own embedding is that of its first view, and of a quiet scene
// there is no zoom.
func CheckViews(views []View) error {
	for i, v := range views {
		if err := v.check(); err != nil {
			return err
		}
		if slices.Contains(views[:i], v) {
			return fmt.Errorf("view %s: it is named twice", v)
		}
	}
	if len(views) > 0 && views[0] == ViewZoom {
		return fmt.Errorf("view zoom: want another view before it, as in [centre, zoom]: a scene in which nothing moves has no zoom")
	}
	return nil
}

func (v View) check() error {
	if !slices.Contains([]View{ViewCentre, ViewTiles, ViewSquash, ViewZoom}, v) {
		return fmt.Errorf("view %.80q: want centre, tiles, squash or zoom", v)
	}
	return nil
}

// ViewNames are views as a list for people.
func ViewNames(views []View) string {
	names := make([]string, len(views))
	for i, v := range views {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// Box is a part of a picture, in fractions of the picture's width and height, from its
// upper left corner.
type Box struct {
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// boxSlack is by how much rounding may put a box outside its picture.
const boxSlack = 1e-6

// Check returns an error if the box does not lie within a picture.
func (b Box) Check() error {
	for _, v := range []float64{b.Left, b.Top, b.Width, b.Height} {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return fmt.Errorf("box %+v: want fractions of the picture, 0 to 1", b)
		}
	}
	if b.Width == 0 || b.Height == 0 || b.Left+b.Width > 1+boxSlack || b.Top+b.Height > 1+boxSlack {
		return fmt.Errorf("box %+v: want a part of the picture", b)
	}
	return nil
}

// String says where the box is, for people: "left 22%, top 0%, 56% wide, 100% high".
func (b Box) String() string {
	return fmt.Sprintf("left %.0f%%, top %.0f%%, %.0f%% wide, %.0f%% high", 100*b.Left, 100*b.Top, 100*b.Width, 100*b.Height)
}

// checkPlace checks where something was seen, which a record need not say.
func checkPlace(v View, b *Box) error {
	if v != "" {
		if err := v.check(); err != nil {
			return err
		}
	}
	if b == nil {
		return nil
	}
	return b.Check()
}

// SeenView is what a model made of one square of a clip's picture.
type SeenView struct {
	View View `json:"view"`
	Box  Box  `json:"box"`
	// Zone is the zone in which what the zoom shows moved; nil: it is of the whole picture.
	Zone *ZoneRef `json:"zone,omitempty"`
	// The embedding, and the means of the first and last three frames'. Those of the
	// first view are the recognition's own, and absent here.
	Embedding Float16Vector `json:"embedding,omitempty"`
	First     Float16Vector `json:"embedding_first3,omitempty"`
	Last      Float16Vector `json:"embedding_last3,omitempty"`
	// Logit is References.Logit of this view; absent, and 0, in the first view and where
	// the recognition has no references.
	Logit float64 `json:"references_logit,omitempty"`
}

// maxSeenViews bounds the views of a recognition: with all four views, those of the
// widest picture are ten, and each zone has one.
const maxSeenViews = 16 + maxZones

func (v SeenView) validate() error {
	if err := v.View.check(); err != nil {
		return err
	}
	if math.IsNaN(v.Logit) || math.IsInf(v.Logit, 0) {
		return fmt.Errorf("view %s: references_logit: want a finite number", v.View)
	}
	if err := v.Zone.check(); err != nil {
		return err
	}
	return v.Box.Check()
}
