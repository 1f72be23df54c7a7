package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// MVEB is the protocol of the zero-shot tasks of the Massive Video Embedding Benchmark:
// the one text "a video of NAME" for each class, and accuracy as the main score. Which
// frames a model sees is left to the model. Source: embeddings-benchmark/mteb, commit
// 22b38963, mteb/tasks/zeroshot_classification/eng/{hmdb51,kinetics400,kinetics600,kinetics700}.py
// and mteb/abstasks/zeroshot_classification.py. Its Kinetics400ZeroShot at that commit
// embeds bare names in braces, which is no text; that of video and sound has this prompt.
const MVEB = "mveb"

// MVEBTemplates are the texts of a class.
func MVEBTemplates() froster.Templates { return froster.Templates{"a video of {label}"} }

// MVEBTasks are the tasks by the names of their class lists.
func MVEBTasks() []string {
	return []string{"hmdb51", "kinetics-400", "kinetics-600", "kinetics-700"}
}

// ReadMVEBPlan reads the lists of a task's videos. What l says of classes does not count.
func ReadMVEBPlan(task string, l Lists) (Plan, error) {
	task = strings.ToLower(task)
	if !slices.Contains(MVEBTasks(), task) {
		return Plan{}, fmt.Errorf("task %q: want %s", task, strings.Join(MVEBTasks(), ", "))
	}
	plan, err := ReadPlan(Lists{Lists: l.Lists, Classes: []string{task}, Format: l.Format, Root: l.Root})
	plan.Protocol = MVEB + " " + task
	return plan, err
}
