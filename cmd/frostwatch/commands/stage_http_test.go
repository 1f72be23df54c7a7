package commands

import (
	"net"
	"strings"
	"testing"
)

// Stages on one machine with one configuration file must not want one port.
func TestEachStageHasAPortOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, stage := range stagePorts {
		address, _ := httpAddress(stage, "", "")
		if other := seen[address]; other != "" {
			t.Errorf("%s and %s both listen at %s", stage, other, address)
		}
		seen[address] = stage
	}
	if address, _ := httpAddress("console", "", ""); address != "127.0.0.1:8087" {
		t.Errorf("the console listens at %s, pipeline.yaml says 127.0.0.1:8087", address)
	}
}

func TestAFlagComesBeforeTheConfiguredAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	l, err := listenFor("infer", "127.0.0.1:0", taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := listenFor("infer", "", taken.Addr().String()); err == nil || !strings.Contains(err.Error(), "http.listen: ") || !strings.Contains(err.Error(), "--http 127.0.0.1:0") {
		t.Errorf("a taken port: %v, want an error with the key and what to do", err)
	}
}
