package check

import (
	"fmt"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"

	"sigs.k8s.io/json"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
)

var releases = map[string]string{"defaults": "", "everything": everything, "folders": folders}

// As `helm lint --strict`.
func TestLint(t *testing.T) {
	for name, values := range releases {
		v, err := chartutil.ReadValues([]byte(values))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lint.All(chartDir, v, "video", true).Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %s", name, m)
			}
		}
	}
}

// An API server drops a field that it doesn't know, silently: a probe that is misspelt is none.
func TestManifestsHaveNoFieldThatKubernetesLacks(t *testing.T) {
	for name, values := range releases {
		seen := map[string]bool{}
		for _, o := range render(t, values) {
			if err := strict(t, o); err != nil {
				t.Errorf("%s: %s %s: %v", name, o.kind, o.name, err)
			}
			if seen[o.kind+"/"+o.name] {
				t.Errorf("%s: %s %s stands twice", name, o.kind, o.name)
			}
			seen[o.kind+"/"+o.name] = true
		}
		if !seen["Deployment/fw-frostwatch-infer"] {
			t.Errorf("%s: no stage", name)
		}
		if seen["Pod/fw-frostwatch-doctor"] != (name != "everything") { // which has a GPU
			t.Errorf("%s: the doctor's pod: %v", name, seen["Pod/fw-frostwatch-doctor"])
		}
	}
}

func strict(t *testing.T, o object) error {
	t.Helper()
	into := map[string]any{
		"ConfigMap": &corev1.ConfigMap{}, "Service": &corev1.Service{}, "ServiceAccount": &corev1.ServiceAccount{}, "Pod": &corev1.Pod{},
		"Deployment": &appsv1.Deployment{}, "PodDisruptionBudget": &policyv1.PodDisruptionBudget{},
		"NetworkPolicy": &networkingv1.NetworkPolicy{}, "Ingress": &networkingv1.Ingress{}, "ServiceMonitor": &monitoringv1.ServiceMonitor{},
	}[o.kind]
	if o.kind == "ScaledObject" || o.kind == "TriggerAuthentication" {
		return ofKEDA(t, o)
	}
	if into == nil {
		return fmt.Errorf("a kind that this test does not know")
	}
	problems, err := json.UnmarshalStrict(o.raw, into)
	if err != nil {
		return err
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.Error())
	}
	if len(all) > 0 {
		return fmt.Errorf("%s", strings.Join(all, "; "))
	}
	return nil
}

func TestStrictFindsWhatIsWrong(t *testing.T) {
	for _, o := range []object{
		{"Deployment", "x", []byte(`{"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"a","readynessProbe":{}}]}}}}`)},
		{"Deployment", "x", []byte(`{"apiVersion":"apps/v1","kind":"Deployment","spec":{"Replicas":1}}`)},
		{"ScaledObject", "x", []byte(`{"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","spec":{"scaleTargetRef":{"name":"a"},"triggers":[{"type":"kafka","metadata":{}}],"maxReplicas":3}}`)},
		{"ScaledObject", "x", []byte(`{"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","spec":{"triggers":[]}}`)},
		{"ScaledObject", "x", []byte(`{"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","spec":{"scaleTargetRef":{"name":"a"},"triggers":[{"type":"kafka","metadata":{"lagThreshold":5}}]}}`)},
	} {
		if strict(t, o) == nil {
			t.Errorf("%s passes", o.raw)
		}
	}
}
