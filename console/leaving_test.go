package console

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// What is being read when somebody's leave ends is not away: they must log in.
func TestARequestWhoseLeaveEndsIsRefused(t *testing.T) {
	c, _ := guarded(t, slog.New(slog.DiscardHandler))
	reading := make(chan struct{})
	m := newRouter()
	m.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		close(reading)
		<-r.Context().Done()
		http.Error(w, "it can't be read: "+r.Context().Err().Error(), http.StatusServiceUnavailable)
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/slow", nil)
	r.Header.Set("Authorization", "Bearer limited"+secret)
	answer := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.admit(m).ServeHTTP(answer, r)
	}()
	<-reading
	without := people()
	without.Tokens = without.Tokens[:3]
	commit, err := c.Prepare(without)
	if err != nil {
		t.Fatal(err)
	}
	commit()
	<-done
	if answer.Code != http.StatusUnauthorized || answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v: %s", answer.Code, answer.Header(), answer.Body)
	}
}
