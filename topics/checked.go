package topics

import (
	"encoding/json"
	"fmt"
)

// validator is a record that checks everything that its readers rely on.
type validator interface{ Validate() error }

// encodeChecked makes the JSON of a valid record; what names it in errors.
func encodeChecked(what string, v validator) ([]byte, error) {
	if err := v.Validate(); err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return json.Marshal(v)
}

// decodeChecked parses and validates a record.
func decodeChecked[T validator](what string, b []byte, of bounds) (T, error) {
	var v, none T
	err := decodeJSON(b, &v, of)
	if err == nil {
		err = v.Validate()
	}
	if err != nil {
		return none, fmt.Errorf("decode %s: %w", what, err)
	}
	return v, nil
}
