package check

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	// Pins the module whose definitions ofKEDA reads. Its Go types would cost as much to
	// compile as all else here, and say less than the definitions: these have what is required.
	_ "github.com/kedacore/keda/v2/version"
)

// ofKEDA checks an object by KEDA's own definition of its kind. A field that the definition
// lacks is refused, as decoding into KEDA's types would.
func ofKEDA(t *testing.T, o object) error {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/kedacore/keda/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "config/crd/bases/keda.sh_"+strings.ToLower(o.kind)+"s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct{ OpenAPIV3Schema map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(raw, &crd); err != nil {
		t.Fatal(err)
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	forbidOthers(schema)
	// An API server knows metadata by itself.
	delete(schema["properties"].(map[string]any), "metadata")
	schema["properties"].(map[string]any)["metadata"] = map[string]any{}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("crd.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("crd.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(o.raw, &v); err != nil {
		return err
	}
	if err := s.Validate(v); err != nil {
		return fmt.Errorf("by KEDA's definition: %w", err)
	}
	return nil
}

// forbidOthers closes each object of a schema whose fields are listed.
func forbidOthers(schema map[string]any) {
	for key, v := range schema {
		switch v := v.(type) {
		case map[string]any:
			forbidOthers(v)
		case []any:
			for _, e := range v {
				if m, is := e.(map[string]any); is {
					forbidOthers(m)
				}
			}
		}
		if key == "format" || strings.HasPrefix(key, "x-kubernetes-") {
			delete(schema, key)
		}
	}
	if _, has := schema["properties"].(map[string]any); has && schema["type"] == "object" {
		schema["additionalProperties"] = false
	}
}
