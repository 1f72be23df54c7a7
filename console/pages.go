package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

//go:embed templates static
var files embed.FS

// pages are the templates by name, each with the frame around it.
type pages map[string]*template.Template

var pageNames = []string{
	"live", "camera", "health", "review", "timeline",
	"cameras", "camera-edit", "rules", "words", "search", "refused",
}

func parsePages() (pages, error) {
	out := pages{}
	for _, name := range pageNames {
		t, err := template.New("frame.html").Funcs(template.FuncMap{"asset": asset, "ago": ago, "exact": exact, "clean": topics.Clean, "gigabytes": gigabytes}).
			ParseFS(files, "templates/frame.html", "templates/tile.html", "templates/box.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("console: read the page %s: %w", name, err)
		}
		out[name] = t
	}
	t, err := template.New("login.html").Funcs(template.FuncMap{"asset": asset}).ParseFS(files, "templates/login.html")
	if err != nil {
		return nil, fmt.Errorf("console: read the page login: %w", err)
	}
	out["login"] = t
	return out, nil
}

// asset is the URL of a file, which changes with its content, so that browsers may keep it.
func asset(name string) (string, error) {
	b, err := files.ReadFile("static/" + name)
	if err != nil {
		return "", err
	}
	return "/static/" + name + "?" + sumOf(b), nil
}

// ago is how long ago something was, for people.
func ago(t time.Time) string {
	switch d := time.Since(t); {
	case t.IsZero():
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

func exact(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// view is what a page is made of.
type view struct {
	Page, Title string
	Who         string // who has logged in
	Limited     bool   // who looks sees some cameras only
	Decides     bool   // they may say something of alerts
	Edits       bool   // who looks may edit cameras and rules
	EditsWords  bool   // they may edit the vocabulary
	Line        Line
	Tiles       []Tile
	Tile        Tile
	Health      any
	Fault       string
	Query       string // what is looked for
}

// routes are the pages, the files they need, and the API.
func (c *Console) routes() *router {
	mux := newRouter()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		c.show(w, r, http.StatusOK, view{Page: "live", Title: "Live", Tiles: c.wall.all(c.whoOf(r.Context()))})
	})
	mux.HandleFunc("GET /cameras/{camera}", c.cameraPage)
	mux.HandleFunc("GET /health", c.healthPage)
	mux.HandleFunc("GET /review", c.reviewPage)
	mux.HandleFunc("GET /timeline", c.timelinePage)
	mux.HandleFunc("GET /cameras", c.camerasPage)
	mux.HandleFunc("GET /cameras/{camera}/edit", c.cameraEditPage)
	mux.HandleFunc("GET /rules", c.rulesPage)
	mux.HandleFunc("GET /words", c.wordsPage)
	mux.HandleFunc("GET /search", c.searchPage)
	mux.HandleFunc("GET /api/v1/events", c.events)
	mux.forAll("GET /static/", assets().ServeHTTP)
	mux.forAll("GET /login", c.loginPage)
	mux.forAll("POST /login", c.login)
	mux.forAll("POST /logout", c.logout)
	c.api(mux)
	return mux
}

func (c *Console) cameraPage(w http.ResponseWriter, r *http.Request) {
	t, _, known := c.tile(r.Context(), r.PathValue("camera"))
	if !known {
		c.show(w, r, http.StatusNotFound, view{Page: "camera", Title: "No such camera", Fault: "There is no camera " + topics.Clean(r.PathValue("camera")) + "."})
		return
	}
	c.show(w, r, http.StatusOK, view{Page: "camera", Title: t.Camera, Tile: t})
}

func (c *Console) reviewPage(w http.ResponseWriter, r *http.Request) {
	c.show(w, r, http.StatusOK, view{Page: "review", Title: "Review"})
}

func (c *Console) healthPage(w http.ResponseWriter, r *http.Request) {
	v := view{Page: "health", Title: "Health"}
	f, err := c.health(r.Context())
	if v.Health = f; err != nil {
		v.Fault = "The state of the workers can't be read: " + topics.Clean(err.Error())
	}
	c.show(w, r, http.StatusOK, v)
}

// refusePage says in the console's frame that who asks may not see a page, and why.
func (c *Console) refusePage(w http.ResponseWriter, r *http.Request, why string) {
	c.show(w, r, http.StatusForbidden, view{Page: "refused", Title: "Not for you", Fault: why + "."})
}

// show writes a page, whole or not at all.
func (c *Console) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	who := c.whoOf(r.Context())
	v.Line, v.Limited, v.Decides = c.line(r.Context()), !who.All, who.Role >= operator
	v.Edits, v.EditsWords = c.mayEditCameras(r.Context()), who.All && who.Role >= operator
	if c.gate.Protected() {
		v.Who = c.whoOf(r.Context()).Name
	}
	var b bytes.Buffer
	if err := c.pages[v.Page].Execute(&b, v); err != nil {
		c.Logger.Error("a page of the console can't be made", "page", v.Page, "error", err)
		http.Error(w, "the page can't be made; the log says why", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // where the browser is gone nobody needs the page
}

// kinds are the files that are served, by their ending.
var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// assets serves the files under static. Which there are is known from the start, so a
// path leads nowhere else.
func assets() http.Handler {
	type file struct {
		content   []byte
		kind, sum string
	}
	known := map[string]file{}
	entries, _ := fs.ReadDir(files, "static") // it is embedded
	for _, e := range entries {
		if b, err := files.ReadFile("static/" + e.Name()); err == nil {
			known["/static/"+e.Name()] = file{b, kinds[path.Ext(e.Name())], sumOf(b)}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, there := known[r.URL.Path]
		if !there || f.kind == "" {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("ETag", `"`+f.sum+`"`)
		h.Set("Cache-Control", "no-cache")
		if r.URL.RawQuery == f.sum {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
	})
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// gigabytes is a size for people.
func gigabytes(n int64) string { return config.Bytes(n).Short() }
