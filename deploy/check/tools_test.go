package check

import (
	_ "helm.sh/helm/v3/pkg/engine"
	_ "helm.sh/helm/v3/pkg/lint"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	_ "github.com/compose-spec/compose-go/v2/cli"
	_ "k8s.io/api/apps/v1"
	_ "sigs.k8s.io/json"
)
