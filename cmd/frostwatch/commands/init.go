package commands

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/starter"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "init", Short: "Write a first configuration, with which everything starts",
		Long: "Writes frostwatch.yaml (for Kubernetes values.yaml), and labels.txt where labels are given, and overwrites nothing.\n" +
			"What is written has been checked as `frostwatch config check` does.",
	}
	cmd.AddCommand(
		p.initCase(starter.Machine, "For one machine: `frostwatch up` with your cameras", `  frostwatch init machine --camera 'door=rtsp://viewer:${DOOR_PASSWORD}@10.0.0.7/stream1' --watch "person falling down"`),
		p.initCase(starter.Stages, "For stages as processes of their own, against your Kafka and Redis", "  frostwatch init stages --kafka kafka-1:9092,kafka-2:9092 --redis redis:6379 --bundle models/froster-b16"),
		p.initCase(starter.Kubernetes, "Values for the Helm chart, against your Kafka and Redis", "  frostwatch init kubernetes --image registry.example.com/frostwatch:v1.2.3 --kafka kafka.kafka:9092 --redis redis.redis:6379"),
	)
	return cmd
}

func (p Program) initCase(of, short, example string) *cobra.Command {
	var o starter.Options
	var flags []string
	var dir string
	cmd := &cobra.Command{
		Use: of, Short: short, Args: none, Example: example,
		RunE: func(*cobra.Command, []string) error {
			cameras, err := camerasOfFlags(flags)
			if err != nil {
				return err
			}
			o.Cameras = cameras
			if err := starter.Write(dir, of, o); err != nil {
				return err
			}
			warnings, err := checkWritten(of, dir)
			if err != nil {
				return errors.Join(err, starter.Remove(dir, of, o))
			}
			return p.begun(of, dir, o, warnings)
		},
	}
	cmd.Flags().StringVar(&dir, "out", ".", "folder to write to")
	cmd.Flags().StringArrayVar(&flags, "camera", nil, "NAME=URL of a camera; repeatable")
	cmd.Flags().StringArrayVar(&o.Watch, "watch", nil, "what you want to be alerted to, in words; repeatable")
	if of == starter.Kubernetes {
		cmd.Flags().StringVar(&o.Bundle, "bundle", "", "folder written by frostwatch model import, in the volume of models (default: the demo model)")
		cmd.Flags().StringVar(&o.Image, "image", "frostwatch", "where the image was pushed to, with its tag")
	} else {
		cmd.Flags().StringVar(&o.Bundle, "bundle", config.Default().Infer.Bundle, "folder written by frostwatch model import")
	}
	kafka, redis := config.Default().Kafka.Brokers, config.Default().Redis.Address
	if of == starter.Kubernetes {
		kafka, redis = []string{"kafka:9092"}, "redis:6379"
	}
	if of != starter.Machine {
		cmd.Flags().StringSliceVar(&o.Kafka, "kafka", kafka, "addresses of brokers")
		cmd.Flags().StringVar(&o.Redis, "redis", redis, "address of Redis")
	}
	return cmd
}

// begunKubernetes says what comes next. What the configuration warns of on this machine says
// nothing of pods.
func (p Program) begunKubernetes(dir string, o starter.Options) error {
	var b strings.Builder
	path := filepath.Join(dir, starter.ValuesFile)
	fmt.Fprintf(&b, "wrote %s\n", path)
	if len(o.Watch) > 0 {
		fmt.Fprintf(&b, "wrote %s\n", filepath.Join(dir, starter.LabelsFile))
	}
	if o.Bundle == "" {
		b.WriteString("warning: model.bundle is empty: the demo model, whose results mean nothing on real video\n")
	}
	b.WriteString("next:\n")
	if o.Bundle != "" {
		fmt.Fprintf(&b, "  a claim frostwatch-models, of a volume that has the folder %s (docs/deploy.md)\n", topics.Clean(o.Bundle))
	}
	if names := o.Variables(); len(names) > 0 {
		fmt.Fprintf(&b, "  kubectl create secret generic %s", starter.CameraSecret)
		for _, name := range names {
			fmt.Fprintf(&b, " --from-literal=%s=...", name)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "  helm install frostwatch deploy/helm/frostwatch --values %s --wait --timeout 15m\n", path)
	if len(o.Watch) > 0 {
		fmt.Fprintf(&b, "  kubectl exec -i deploy/frostwatch-alerts -- frostwatch vocab import - --config /etc/frostwatch/frostwatch.yaml < %s\n", filepath.Join(dir, starter.LabelsFile))
	}
	b.WriteString("  helm test frostwatch --logs\n")
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

func camerasOfFlags(flags []string) (out []starter.Camera, err error) {
	for _, flag := range flags {
		name, url, ok := strings.Cut(flag, "=")
		if !ok {
			return nil, fmt.Errorf("--camera %q: want NAME=URL", topics.Clean(name))
		}
		out = append(out, starter.Camera{Name: name, URL: url})
	}
	return out, nil
}

// checkWritten checks a file that was written as `frostwatch config check` does. Values of the
// chart have been checked when they were written.
func checkWritten(of, dir string) (warnings []string, err error) {
	if of == starter.Kubernetes {
		return nil, nil
	}
	f, err := config.Open(filepath.Join(dir, starter.ConfigFile))
	if err != nil {
		return nil, err
	}
	r, err := process.CheckFile(f)
	return r.Warnings, err
}

// begun says what was written, what is still to be done in it, and what comes next.
func (p Program) begun(of, dir string, o starter.Options, warnings []string) error {
	if of == starter.Kubernetes {
		return p.begunKubernetes(dir, o)
	}
	path := filepath.Join(dir, starter.ConfigFile)
	var b strings.Builder
	fmt.Fprintf(&b, "wrote %s\n", path)
	for _, w := range warnings {
		if of == starter.Machine && process.OfUp(w) {
			continue
		}
		fmt.Fprintf(&b, "warning: %s\n", topics.Clean(w))
	}
	b.WriteString("next:\n")
	importing := fmt.Sprintf("  frostwatch vocab import %s", filepath.Join(dir, starter.LabelsFile))
	switch {
	case of == starter.Machine && len(o.Watch) > 0:
		fmt.Fprintf(&b, "  frostwatch up --config %s\n%s                     # in another terminal, once\n", path, importing)
	case of == starter.Machine:
		fmt.Fprintf(&b, "  frostwatch up --config %s\n  frostwatch watch \"person falling down\"      # in another terminal\n", path)
	default:
		fmt.Fprintf(&b, "  frostwatch doctor --config %s\n", path)
		if len(o.Watch) > 0 {
			fmt.Fprintf(&b, "%s --config %s\n", importing, path)
		}
		for _, stage := range []string{"ingest", "infer", "alerts", "calibrate", "archive", "notify", "console"} {
			fmt.Fprintf(&b, "  frostwatch %-9s --config %s\n", stage, path)
		}
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}
