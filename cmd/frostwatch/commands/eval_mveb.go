package commands

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/eval"
)

func (p Program) evalMVEBCommand() *cobra.Command {
	f, task := evalFlags{templates: eval.MVEBTemplates()}, ""
	cmd := &cobra.Command{
		Use: "mveb NAME|FOLDER", Short: "Measure a model as MVEB's zero-shot tasks do", Args: exactly(1),
		Long: "Measures a model by the protocol of the zero-shot tasks of the Massive Video Embedding Benchmark, so that\n" +
			"its accuracy (top-1 here) may be put beside theirs: each class is the one text \"a video of NAME\". Which\n" +
			"frames a model sees is left to the model there: here they are those of `frostwatch eval`. The tasks' videos\n" +
			"are a selection that MVEB publishes; over other videos of the data set the figure is another.",
		Example: "  frostwatch eval mveb froster-b16 --task hmdb51 --list 'splits/*_test_split1.txt' --root hmdb51 --work eval-mveb",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.eval(cmd.Context(), args[0], f, func() (eval.Plan, error) { return eval.ReadMVEBPlan(task, f.lists) })
		},
	}
	f.addTo(cmd)
	cmd.Flags().StringVar(&task, "task", "", "data set: "+strings.Join(eval.MVEBTasks(), ", "))
	_ = cmd.MarkFlagRequired("task") // it exists
	return cmd
}
