package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/ingest/onvif"
)

// discoverFlags are those of `camera discover`.
type discoverFlags struct {
	network, at        string
	wait               time.Duration
	user, passwordName string
	asJSON             bool
}

func (p Program) cameraDiscover(t *target) *cobra.Command {
	f := discoverFlags{wait: 3 * time.Second}
	cmd := &cobra.Command{
		Use: "discover", Short: "Find cameras on the local network (ONVIF), and their streams", Args: none,
		Example: `  frostwatch camera discover
  CAMERA_PASSWORD=... frostwatch camera discover --interface eth0 --user viewer --password-env CAMERA_PASSWORD`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.options(t)
			if err != nil {
				return err
			}
			password, err := f.password()
			if err != nil {
				return err
			}
			found, err := onvif.Discover(cmd.Context(), o)
			if err != nil {
				return err
			}
			if f.user != "" {
				onvif.DescribeAll(cmd.Context(), found, f.user, password)
			}
			if f.asJSON {
				e := json.NewEncoder(p.Out)
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				return e.Encode(append([]onvif.Device{}, found...))
			}
			return p.writeDevices(found, f, o)
		},
	}
	cmd.Flags().StringVar(&f.network, "interface", "", "network interface on which is asked (default: the system's choice)")
	cmd.Flags().StringVar(&f.at, "at", "", "ask this address alone, such as 10.0.0.7, rather than the whole network")
	cmd.Flags().Var(length{&f.wait, "3s"}, "for", "how long answers are waited for, at most 1m")
	cmd.Flags().StringVar(&f.user, "user", "", "user name at the devices, to ask them for their streams; only devices that answered are sent it, and a digest of the password")
	cmd.Flags().StringVar(&f.passwordName, "password-env", "", "environment variable that holds the password")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: an array of objects")
	return cmd
}

func (f discoverFlags) options(t *target) (onvif.Options, error) {
	o := onvif.Options{Interface: f.network, For: f.wait}
	if f.wait <= 0 || f.wait > time.Minute {
		return o, fmt.Errorf("--for %v: want more than 0s, and at most 1m", f.wait)
	}
	cfg, err := t.load()
	if err != nil && t.config != "" {
		return o, err
	}
	if err == nil {
		o.Trust = ingest.Trust{Allow: cameraedit.TrustOf(cfg).Allow}
	}
	if f.at == "" {
		return o, nil
	}
	host, port := f.at, fmt.Sprint(onvif.Port)
	if h, p, err := net.SplitHostPort(f.at); err == nil {
		host, port = h, p
	}
	if o.At, err = netip.ParseAddrPort(net.JoinHostPort(host, port)); err != nil {
		return o, fmt.Errorf("--at %.80q: want an address, such as 10.0.0.7", f.at)
	}
	o.Trust.Allow = append(o.Trust.Allow, o.At.Addr().Unmap().WithZone("").String()) // who calls has named it
	return o, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (f discoverFlags) password() (string, error) {
	switch {
	case f.user == "" && f.passwordName == "":
		return "", nil
	case f.user == "" || f.passwordName == "":
		return "", errors.New("want --user and --password-env together, or neither")
	case !variableName.MatchString(f.passwordName):
		return "", errors.New("--password-env: want the name of an environment variable, and not the password itself")
	}
	password, set := os.LookupEnv(f.passwordName)
	if !set {
		return "", fmt.Errorf("--password-env: environment variable %s is not set", f.passwordName)
	}
	return password, nil
}

// whyNone is what may be the matter where no device answers.
func whyNone(o onvif.Options) string {
	if o.At.IsValid() {
		return "is there a camera at " + o.At.String() + ", and ONVIF switched on in it?"
	}
	return "cameras answer on their own network only, and where ONVIF (or its discovery) is switched on in them; on a machine with several networks name one with --interface"
}

// writeDevices prints devices, and the commands that add them.
func (p Program) writeDevices(found []onvif.Device, f discoverFlags, o onvif.Options) error {
	var b strings.Builder
	if len(found) == 0 {
		fmt.Fprintf(&b, "no device answered within %v: %s\n", o.For, whyNone(o))
	}
	names := map[string]bool{}
	for _, d := range found {
		fmt.Fprintf(&b, "%s  %s\n", d.Address, d.Says())
		if len(d.Scopes) > 0 {
			fmt.Fprintf(&b, "    says  %s\n", strings.Join(d.Scopes, ", "))
		}
		for _, r := range d.Refused {
			fmt.Fprintf(&b, "    refused  %s\n", r)
		}
		for _, s := range d.Streams {
			fmt.Fprintf(&b, "    stream  %s\n", offered(s))
		}
		switch {
		case d.Failed != "":
			fmt.Fprintf(&b, "    its streams are not known: %s\n", d.Failed)
		case d.Main() != nil:
			fmt.Fprintf(&b, "    %s\n", addLine(d, f, names))
		}
	}
	if len(found) > 0 && f.user == "" {
		b.WriteString("for their streams: --user NAME --password-env VARIABLE\n")
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

func offered(s onvif.Stream) string {
	text := fmt.Sprintf("%s: %s %dx%d", s.Profile, s.Codec, s.Width, s.Height)
	if s.FPS > 0 {
		text += fmt.Sprintf(", %.4g fps", s.FPS)
	}
	if s.KBits > 0 {
		text += fmt.Sprintf(", %.3g Mbit/s", float64(s.KBits)/1000)
	}
	if s.Group > 0 {
		text += fmt.Sprintf(", a keyframe in %d", s.Group)
	}
	if s.Refused != "" {
		return text + ", refused: " + s.Refused
	}
	return text + ", " + s.URL
}

// addLine is the command that adds a device.
func addLine(d onvif.Device, f discoverFlags, names map[string]bool) string {
	line := fmt.Sprintf("frostwatch camera add %s %s", d.CameraName(names), withLogin(d.Main().URL, f))
	if sub := d.Sub(); sub != nil {
		line += " --watch " + withLogin(sub.URL, f)
	}
	return line
}

var plainUser = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// withLogin is a URL with the user's name, and the variable that holds the password, in
// quotes for a shell.
func withLogin(url string, f discoverFlags) string {
	user := "USER"
	if plainUser.MatchString(f.user) {
		user = f.user
	}
	scheme, rest, _ := strings.Cut(url, "://")
	return "'" + scheme + "://" + user + ":${" + f.passwordName + "}@" + rest + "'"
}
