package config

import (
	"testing"
	"time"
)

func TestAgesAndSizes(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "0": 0, "36h": 36 * time.Hour, "0.5d": 12 * time.Hour} {
		var a Age
		if err := a.UnmarshalText([]byte(text)); err != nil || time.Duration(a) != want {
			t.Errorf("%s is %v, %v", text, time.Duration(a), err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "NaNd", "9e9d", "-1h", "3 weeks"} {
		if err := new(Age).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("age %q is taken", text)
		}
	}
	for text, want := range map[string]Bytes{"20GB": 20e9, "1 MiB": 1 << 20, "0": 0, "512": 512, "1.5KB": 1500} {
		var s Bytes
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s is %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "GB", "-1GB", "NaN", "9e9PB", "20 apples"} {
		if err := new(Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("size %q is taken", text)
		}
	}
	for want, s := range map[string]Bytes{"20GB": 20e9, "1MiB": 1 << 20, "0": 0, "512": 512, "1500KB": 15e5, "1TB": 1e12} {
		if got := s.String(); got != want || new(Bytes).UnmarshalText([]byte(got)) != nil {
			t.Errorf("%d is written %s, want %s", int64(s), got, want)
		}
	}
	for want, s := range map[string]Bytes{"0 MB": 0, "29 MB": 29e6, "999 MB": 999e6, "1.0 GB": 1e9, "270.6 GB": 2706e8} {
		if got := s.Short(); got != want {
			t.Errorf("%d is shown as %s, want %s", int64(s), got, want)
		}
	}
	for want, a := range map[string]Age{"90d": Age(90 * day), "36h": Age(36 * time.Hour), "0": 0, "1h30m": Age(90 * time.Minute)} {
		if got := a.String(); got != want {
			t.Errorf("%v is written %s, want %s", time.Duration(a), got, want)
		}
	}
	c, err := Parse("f.yaml", []byte("archive:\n  retention: {actions: 7d, alerts: 0, size: 20GB}\n"), noEnv)
	if err != nil || c.Archive.Retention != (Retention{Actions: Age(7 * day), Size: 20e9}) {
		t.Errorf("%+v, %v", c.Archive.Retention, err)
	}
}
