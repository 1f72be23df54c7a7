package commands

import (
	"errors"
	"strconv"
)

// yesNo is a flag that is true, false or, as empty text, neither.
type yesNo struct{ value *bool }

// Set reads true, false or empty text.
func (y *yesNo) Set(text string) error {
	y.value = nil
	if text == "" {
		return nil
	}
	if text != "true" && text != "false" {
		return errors.New("want true, false or ''")
	}
	value := text == "true"
	y.value = &value
	return nil
}

func (y *yesNo) String() string {
	if y == nil || y.value == nil {
		return ""
	}
	return strconv.FormatBool(*y.value)
}

// Type is shown in help.
func (y *yesNo) Type() string { return "true|false" }
