package ingest

import (
	"errors"

	"github.com/frostwatch/frostwatch/media"
)

// ProbeFault is why nothing could be seen of a camera.
type ProbeFault struct {
	Part  ProbePart
	Fault *media.Fault
	// Crash is how the process that looked has ended, for the log; empty: it answered.
	Crash string
}

func (f *ProbeFault) Error() string { return string(f.Part) + ": " + f.Fault.Text }

func (f *ProbeFault) Unwrap() error { return f.Fault }

// ProbePart is the part of a camera, or of the way to it, that is wrong.
type ProbePart string

// The parts.
const (
	PartURL     ProbePart = "URL"
	PartRefused ProbePart = "not allowed" // by the rules for what cameras may ask of a worker
	PartName    ProbePart = "host"        // its name leads nowhere
	PartPort    ProbePart = "connection"  // nobody listens there
	PartTLS     ProbePart = "TLS"
	PartLogin   ProbePart = "login"
	PartPath    ProbePart = "path"
	PartAnswer  ProbePart = "answer" // it is not that of a camera
	PartVideo   ProbePart = "video"
)

// faultOf is an error about a part, unless it says more of itself.
func faultOf(part ProbePart, err error) *ProbeFault {
	var f *media.Fault
	if !errors.As(err, &f) {
		f = media.NewFault(media.KindOther, "%v", err)
	}
	switch f.Kind {
	case kindRefused:
		part = PartRefused
	case media.KindAddress:
		part = PartURL
	}
	return &ProbeFault{Part: part, Fault: f}
}

// faultAt is an error of opening an address.
func faultAt(a address, err error) *ProbeFault {
	f := faultOf(PartAnswer, err)
	switch f.Fault.Kind {
	case media.KindUnreachable:
		f.Part, f.Fault = PartPort, media.NewFault(f.Fault.Kind, "port %s: %s", a.port(), f.Fault.Text)
	case kindCertificate:
		f.Part = PartTLS
	case media.KindCredentials:
		f.Part = PartLogin
	case media.KindNotFound:
		f.Part = PartPath
	case media.KindNotVideo:
		f.Part = PartVideo
	}
	return f
}
