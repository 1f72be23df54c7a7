package cameraedit

import (
	"time"

	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
)

// Probing says how a stream is tried, as workers with a configuration would connect to it.
// A picture's shorter side has at most side pixels; 0: none is taken.
func Probing(cfg config.Config, trust ingest.Trust, watch time.Duration, side int) ingest.ProbeOptions {
	c := cfg.Ingest
	return ingest.ProbeOptions{
		Transport: c.Transport, Protocols: c.Protocols, OpenTimeout: c.OpenTimeout, ReadTimeout: c.ReadTimeout,
		For: watch, AnyCertificate: !c.TLSVerify, TLSCA: c.TLSCA, Trust: trust, PictureSide: side,
	}
}
