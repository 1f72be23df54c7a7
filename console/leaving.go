package console

import (
	"context"
	"errors"
	"net/http"
)

// leaving answers a request. Where it fails because whoever asks may do so no longer, it
// answers that, and not that something is away.
type leaving struct {
	http.ResponseWriter
	ctx           context.Context
	begun, refuse bool
}

// Unwrap is for http.ResponseController.
func (l *leaving) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *leaving) WriteHeader(status int) {
	if l.begun {
		return
	}
	l.begun = true
	if l.refuse = status >= http.StatusInternalServerError && errors.Is(context.Cause(l.ctx), errOver); l.refuse {
		refuseOver(l.ResponseWriter)
		return
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *leaving) Write(part []byte) (int, error) {
	l.WriteHeader(http.StatusOK)
	if l.refuse {
		return len(part), nil
	}
	return l.ResponseWriter.Write(part)
}
