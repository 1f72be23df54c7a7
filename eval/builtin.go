package eval

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// The lists are the names of the classes of Kinetics-600 (Carreira et al. 2018,
// arXiv:1808.01340), Kinetics-700 (Smaira et al. 2020, arXiv:2010.10864), UCF101 (Soomro et al. 2012, arXiv:1212.0402), HMDB51 (Kuehne et
// al. 2011) and Something-Something V2 (Goyal et al. 2017, arXiv:1706.04261), in the
// order of the data sets. The names of UCF101 and HMDB51, which are written as
// ApplyEyeMakeup and brush_hair, are in words here.
//
//go:embed classlists/*.txt
var classLists embed.FS

// BuiltIn are the names of the class lists that are part of the program.
func BuiltIn() []string {
	return []string{froster.Kinetics400, "kinetics-600", "kinetics-700", "ucf101", "hmdb51", "ssv2"}
}

// BuiltInClasses are the classes of a list that is part of the program; case does not
// count in its name.
func BuiltInClasses(name string) ([]string, error) {
	for _, list := range BuiltIn() {
		switch {
		case !strings.EqualFold(list, name):
			continue
		case list == froster.Kinetics400:
			return froster.Kinetics400Classes(), nil
		}
		text, err := classLists.ReadFile(path.Join("classlists", list+".txt"))
		if err != nil {
			return nil, fmt.Errorf("read class list %s: %w", list, err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n"), nil
	}
	return nil, fmt.Errorf("no class list is called %q: there are %s", name, strings.Join(BuiltIn(), ", "))
}
