package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

var stages = []string{"ingest", "infer", "alerts", "archive", "notify", "calibrate", "console"}

func selects(t *testing.T, s *metav1.LabelSelector, of map[string]string) bool {
	t.Helper()
	by, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return by.Matches(labels.Set(of))
}

// What the restricted level of Kubernetes' pod security asks for, and a read-only root.
func TestPodsMayDoNothingMore(t *testing.T) {
	for name, values := range releases {
		for stage, d := range deployments(t, values) {
			pod := d.Spec.Template.Spec
			s, c := pod.SecurityContext, pod.Containers[0].SecurityContext
			if !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *pod.AutomountServiceAccountToken {
				t.Errorf("%s: %s: pod %+v", name, stage, s)
			}
			if *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem || len(c.Capabilities.Add) > 0 || !slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}) {
				t.Errorf("%s: %s: container %+v", name, stage, c)
			}
			if pod.HostNetwork || pod.HostPID || pod.HostIPC || len(pod.Containers) != 1 {
				t.Errorf("%s: %s shares something with its host", name, stage)
			}
			for _, v := range pod.Volumes {
				if v.HostPath != nil {
					t.Errorf("%s: %s mounts a folder of its host", name, stage)
				}
			}
		}
	}
}

func TestSecretsAreReferred(t *testing.T) {
	all := render(t, everything)
	for _, o := range all {
		if o.kind == "Secret" {
			t.Errorf("the chart makes a Secret %s", o.name)
		}
	}
	for stage, d := range of[appsv1.Deployment](t, all, "Deployment") {
		var from []string
		for _, f := range d.Spec.Template.Spec.Containers[0].EnvFrom {
			from = append(from, f.SecretRef.Name)
		}
		want := []string{"frostwatch-env"}
		if stage == "ingest" || stage == "console" { // the others have no business with cameras' passwords
			want = append(want, "frostwatch-cameras")
		}
		if !slices.Equal(from, want) {
			t.Errorf("%s has the variables of %v, want %v", stage, from, want)
		}
	}
	for values, part := range map[string]string{
		`config: {kafka: {brokers: ["k:1"], sasl: {mechanism: PLAIN, password: hunter2}}}`:                      "password",
		`config: {kafka: {brokers: ["k:1"]}, redis: {address: "r:1", password: hunter2}}`:                       "password",
		`cameras: [{name: door, url: "rtsp://viewer:hunter2@10.0.0.7/a"}]`:                                      "url",
		`cameras: [{name: door, url: "rtsp://10.0.0.7/a", watch: "rtsp://viewer:hunter2@10.0.0.7/b"}]`:          "watch",
		`config: {console: {tokens: [{name: a, role: viewer, token: abcdefghijklmnopqrstuvwxyzabcdefghijkl}]}}`: "token",
		`config: {notify: {verify: {url: "http://m:1/v1", key: hunter2}}}`:                                      "key",
	} {
		if _, _, err := renderErr(values); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want an error about %s", values, err, part)
		}
	}
	for receiver, refused := range map[string]bool{
		`webhook: {url: "https://ops:hunter2@hooks.example.com/a"}`:                                                          true,
		`webhook: {url: "https://hooks.example.com/services/T0AAAA/B0BBBB/hunter2hunter2hunter2xx"}`:                         true,
		`webhook: {url: "https://hooks.example.com/a", secret: hunter2}`:                                                     true,
		`webhook: {url: "https://hooks.example.com/a", headers: {Authorization: Bearer hunter2}}`:                            true,
		`people: {url: "telegram://hunter2@telegram?chats=1"}`:                                                               true,
		`mqtt: {url: "mqtt://h:1883", username: a, password: hunter2}`:                                                       true,
		`command: {run: [tell], env: {API_TOKEN: hunter2}}`:                                                                  true,
		`webhook: {url: "https://hooks.example.com/${TOKEN}", secret: "${SECRET}", headers: {Authorization: "Bearer ${B}"}}`: false,
		`webhook: {url: "https://hooks.example.com/alerts/of/frostwatch", headers: {Content-Language: en}}`:                  false,
		`people: {url: "telegram://${TELEGRAM}@telegram?chats=1"}`:                                                           false,
		`mqtt: {url: "mqtts://h:8883", username: a, password: "${MQTT}", tls: {enabled: true, key: /run/secrets/k}}`:         false,
	} {
		_, _, err := renderErr(`config: {notify: {receivers: [{name: ops, ` + receiver + `}]}}`)
		if (err != nil) != refused || err != nil && (!strings.Contains(err.Error(), "secrets.env") || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", receiver, err)
		}
	}
}

// gRPC's own port is opened for a collector whose address names none.
func TestTheCollectorIsReached(t *testing.T) {
	for address, want := range map[string]int{"http://otel.monitoring:4317": 4317, "https://otel.example.com": 443, "https://otel.example.com/": 443} {
		p := of[networkingv1.NetworkPolicy](t, render(t, fmt.Sprintf("config: {telemetry: {otlp_endpoint: %q}}", address)), "NetworkPolicy")["alerts"]
		if got := ports(p); !slices.Contains(got, want) || slices.Contains(got, 0) {
			t.Errorf("%s: ports %v", address, got)
		}
	}
}

func TestValuesWithAMistakeAreRefused(t *testing.T) {
	for values, part := range map[string]string{
		`stage: {}`:                             "stage",
		`stages: {infer: {replica: 2}}`:         "replica",
		`stages: {console: {replicas: 2}}`:      "replicas",
		`config: {http: {listen: "0.0.0.0:9"}}`: "config",
		`config: {cameras: []}`:                 "config",
		`config: {kafka: {brokers: [kafka]}}`:   "brokers",
		`console: {expose: true, host: a.b}`:    "console.expose: want config.console.users or tokens",
		`image: {digest: "sha256:12"}`:          "digest",
		`networkPolicy: {kafkaPorts: [99999]}`:  "kafkaPorts",
		"config: {kafka: {brokers: ['k:1'], tls: {enabled: true}}}\nstages: {infer: {autoscaling: {enabled: true}}}": "keda.authSecret",
	} {
		if _, _, err := renderErr(values); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want an error about %s", values, err, part)
		}
	}
}

// An edit of cameras and rules reaches running stages by itself: a rollout would interrupt
// all cameras. Other keys need a start.
func TestOnlyWhatNeedsAStartIsRolledOut(t *testing.T) {
	restart := func(values string) string {
		return deployments(t, values)["alerts"].Spec.Template.Annotations["frostwatch/restart"]
	}
	base := restart("")
	for _, values := range []string{`cameras: [{name: door, url: "rtsp://10.0.0.7/a"}]`, `rules: [{name: fall, actions: [a]}]`} {
		if restart(values) != base {
			t.Errorf("%s restarts", values)
		}
	}
	pairs := map[string]string{
		`config: {notify: {receivers: [{name: a}]}}`: `config: {notify: {receivers: [{name: b}]}}`,
		`config: {console: {users: [{name: a}]}}`:    `config: {console: {users: [{name: b}]}}`,
		`model: {bundle: one}`:                       `model: {bundle: two}`,
	}
	for one, two := range pairs {
		if restart(one) != restart(two) {
			t.Errorf("from %s to %s restarts", one, two)
		}
	}
	for _, values := range []string{`config: {kafka: {brokers: ["other:9092"]}}`, `config: {infer: {max_batch: 4}}`, `config: {notify: {group: g}}`} {
		if restart(values) == base {
			t.Errorf("%s does not restart", values)
		}
	}
}

func TestWorkersAreAddedByLag(t *testing.T) {
	type scaled struct {
		Spec struct {
			ScaleTargetRef  struct{ Name string }
			MinReplicaCount int
			MaxReplicaCount int
			Triggers        []struct {
				Type     string
				Metadata map[string]string
			}
		}
	}
	all := render(t, "archiveVolume: {emptyDir: {}}\nstages: {infer: {autoscaling: {enabled: true}}, archive: {autoscaling: {enabled: true}}}")
	found := of[scaled](t, all, "ScaledObject")
	if len(found) != 2 {
		t.Fatalf("%d objects", len(found))
	}
	// The names of groups and topics are those of topics.Names; TestGroups of the program's
	// own module holds the defaults.
	for stage, want := range map[string][2]string{"infer": {"frostwatch-infer", "frostwatch.clips"}, "archive": {"frostwatch-archive-actions", "frostwatch.actions"}} {
		s := found[stage].Spec
		m := s.Triggers[0].Metadata
		if m["consumerGroup"] != want[0] || m["topic"] != want[1] || s.ScaleTargetRef.Name != "fw-frostwatch-"+stage || s.MaxReplicaCount != 12 {
			t.Errorf("%s: %+v", stage, s)
		}
	}
	all = render(t, everything)
	infer := of[scaled](t, all, "ScaledObject")["infer"].Spec
	if m := infer.Triggers[0].Metadata; m["consumerGroup"] != "north.frostwatch-infer" || m["topic"] != "north.clips" || infer.MaxReplicaCount != 24 || infer.MinReplicaCount != 2 {
		t.Errorf("with a prefix and 24 partitions: %+v", infer)
	}
	for stage, d := range of[appsv1.Deployment](t, all, "Deployment") {
		if scales := slices.Contains([]string{"infer", "alerts", "archive"}, stage); scales != (d.Spec.Replicas == nil) {
			t.Errorf("%s: replicas %v: Helm and KEDA must not both say how many", stage, d.Spec.Replicas)
		}
	}
}

func TestBudgetsAndPoliciesSelectTheirStage(t *testing.T) {
	all := render(t, everything)
	budgets, policies := of[policyv1.PodDisruptionBudget](t, all, "PodDisruptionBudget"), of[networkingv1.NetworkPolicy](t, all, "NetworkPolicy")
	pods := of[appsv1.Deployment](t, all, "Deployment")
	for _, stage := range stages {
		labels := pods[stage].Spec.Template.Labels
		if labels == nil || !selects(t, pods[stage].Spec.Selector, labels) {
			t.Errorf("%s: no Deployment that selects its own pods", stage)
		}
		for other := range pods {
			b, p := budgets[other], policies[other]
			if selects(t, b.Spec.Selector, labels) != (other == stage) || selects(t, &p.Spec.PodSelector, labels) != (other == stage) {
				t.Errorf("budget or policy of %s, pods of %s", other, stage)
			}
		}
		if b := budgets[stage]; b.Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("%s: a node could never be drained, or all workers be taken at once", stage)
		}
	}
}

// ports are those to which a policy lets a stage connect, without any limit of where.
func ports(p networkingv1.NetworkPolicy) (out []int) {
	for _, e := range p.Spec.Egress {
		for _, port := range e.Ports {
			out = append(out, port.Port.IntValue())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestStagesReachWhatTheyNeed(t *testing.T) {
	policies := of[networkingv1.NetworkPolicy](t, render(t, everything), "NetworkPolicy")
	servers := []int{53, 4317, 6380, 9093, 9094}
	for _, stage := range stages {
		want := slices.Clone(servers)
		if stage != "infer" {
			want = append(want, 443) // the bucket
		}
		if stage == "notify" {
			want = append(want, 1883)
		}
		slices.Sort(want)
		if got := ports(policies[stage]); !slices.Equal(got, want) {
			t.Errorf("%s may connect to ports %v, want %v", stage, got, want)
		}
		networks := 0
		for _, e := range policies[stage].Spec.Egress {
			for _, to := range e.To {
				if to.IPBlock != nil {
					networks++
				}
			}
		}
		if (networks > 0) != (stage == "ingest" || stage == "console") {
			t.Errorf("%s: %d networks of cameras", stage, networks)
		}
		open := 0
		for _, i := range policies[stage].Spec.Ingress {
			if len(i.From) == 0 || len(i.Ports) == 0 {
				t.Errorf("%s may be reached by everybody, or at every port", stage)
			}
			for _, p := range i.Ports {
				if p.Port.StrVal == "console" {
					open++
				}
			}
		}
		if (open == 1) != (stage == "console") {
			t.Errorf("%s: %d rules let visitors in", stage, open)
		}
	}
	hidden := of[networkingv1.NetworkPolicy](t, render(t, ""), "NetworkPolicy")["console"]
	if len(hidden.Spec.Ingress) != 1 {
		t.Error("a console that is not exposed lets visitors in")
	}
}

func TestMetricsAreFound(t *testing.T) {
	all := render(t, everything)
	monitor := of[monitoringv1.ServiceMonitor](t, all, "ServiceMonitor")["fw-frostwatch"]
	service := of[corev1.Service](t, all, "Service")["metrics"]
	if !selects(t, &monitor.Spec.Selector, service.Labels) || selects(t, &monitor.Spec.Selector, of[corev1.Service](t, all, "Service")["console"].Labels) {
		t.Error("the monitor selects another service")
	}
	if e := monitor.Spec.Endpoints[0]; e.Port != service.Spec.Ports[0].Name || e.Path != "/metrics" {
		t.Errorf("it asks %+v", e)
	}
	for stage, d := range of[appsv1.Deployment](t, all, "Deployment") {
		pod := d.Spec.Template
		named := slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == service.Spec.Ports[0].TargetPort.StrVal })
		if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) || !named {
			t.Errorf("%s is not among the service's pods", stage)
		}
	}
}

func TestOnlyInferTakesAGPU(t *testing.T) {
	for stage, d := range deployments(t, everything) {
		pod := d.Spec.Template.Spec
		gpus := pod.Containers[0].Resources.Limits["nvidia.com/gpu"]
		has := gpus.Value() == 1 && strings.HasSuffix(pod.Containers[0].Image, ":v1.2.3-cuda") && pod.NodeSelector["nvidia.com/gpu.present"] == "true" && len(pod.Tolerations) == 1
		if has != (stage == "infer") || !has && (gpus.Value() > 0 || strings.HasSuffix(pod.Containers[0].Image, "-cuda")) {
			t.Errorf("%s: %+v, image %s", stage, pod.Containers[0].Resources, pod.Containers[0].Image)
		}
		if stage == "infer" && d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue() != 0 {
			t.Error("a rollout waits for a second GPU")
		}
	}
}

// What `helm install` prints can be copied as it is.
func TestNotesNameWhatThereIs(t *testing.T) {
	for name, values := range releases {
		all, notes, err := renderErr(values)
		if err != nil {
			t.Fatal(err)
		}
		pods := of[appsv1.Deployment](t, all, "Deployment")
		for _, m := range regexp.MustCompile(`deploy/fw-frostwatch-([a-z]+)`).FindAllStringSubmatch(notes, -1) {
			if _, has := pods[m[1]]; !has {
				t.Errorf("%s: there is no %s", name, m[0])
			}
		}
		if strings.Contains(notes, "helm test") != (name != "everything") || strings.Contains(notes, "\n\n\n") || !strings.Contains(notes, "vocab import") {
			t.Errorf("%s:\n%s", name, notes)
		}
	}
}
