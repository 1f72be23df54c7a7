// Package check tests what deploys Frostwatch elsewhere: the Helm chart and compose.yaml.
// It is a module of its own, so that the program's module has nothing of Kubernetes;
// `make chart-test` runs it.
package check
