package fleet

import "slices"

// Of is what may be shown to somebody who does not see every camera: of workers how they
// are, but nothing that they say in words, since that may name any camera; and no
// silences, which choose cameras by name.
func (f Fleet) Of(sees func(camera string) bool, alert func(Alert) bool) Fleet {
	out := f
	out.Workers = slices.Clone(f.Workers)
	for i := range out.Workers {
		w := &out.Workers[i]
		w.Problems, w.Warnings = hidden(w.Problems), nil
	}
	out.Cameras = slices.DeleteFunc(slices.Clone(f.Cameras), func(c Camera) bool { return !sees(c.Name) })
	out.Open = slices.DeleteFunc(slices.Clone(f.Open), func(a Alert) bool { return !alert(a) })
	out.Silences, out.Unreadable = nil, nil
	out.Wrong = out.wrong()
	return out
}

// hidden leaves of problems that there are some.
func hidden(problems map[string]string) map[string]string {
	if len(problems) == 0 {
		return problems
	}
	return map[string]string{"it": "whoever sees every camera is shown why"}
}
