package commands

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/bench"
)

func (p Program) benchCommand() *cobra.Command {
	o := bench.Options{Out: p.Out, Err: p.Err, Version: p.Version}
	var models string
	cmd := &cobra.Command{
		Use: "bench [ingest] [infer] [vocab] [search] [up] [capacity] [soak]", Short: "Measure this machine: cameras, clips, searches and delays",
		Long: "Measures the parts named, or all but capacity and soak:\n" +
			"  ingest  CPU time and memory of each camera, the simulator running in a process of its own\n" +
			"  infer   clips and labels a second in each precision, beside what matrix products reach alone; stages of a clip\n" +
			"  vocab   clips beside labels that are being embedded; ten thousand labels\n" +
			"  search  recorded clips a second of CPU time, beside a plain loop of dot products\n" +
			"  up      delay from a frame to its recognition and its alert in `frostwatch up`\n" +
			"  capacity  how many cameras, quiet nine tenths of the time, this machine serves with the model: more and more, until\n" +
			"            clips are late or lost. Ingest and infer run as processes of their own; some ten minutes\n" +
			"  soak      whether memory, goroutines and open files of ingest and infer grow while --cameras cameras come and go,\n" +
			"            freeze and change their size for --for, 10 minutes at least to be sure",

		ValidArgs: append(bench.Parts(), bench.Capacity, bench.Soak), Args: cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, parts []string) error {
			if len(parts) == 0 {
				parts = bench.Parts()
			}
			var err error
			if o.Model, err = p.modelNamed(cmd.Context(), models, o.Model); err != nil {
				return err
			}
			return bench.Run(cmd.Context(), o, parts)
		},
	}
	cmd.AddCommand(p.benchChaos(), p.benchBroker())
	cmd.Flags().StringVar(&o.Model, "model", "", "model to measure with: a folder, one in --models, or a name that 'frostwatch model pull' lists, which is downloaded if it is not there (default: the demo model)")
	modelsFlag(cmd, &models)
	cmd.Flags().StringVar(&o.Checkpoint, "checkpoint", "", "checkpoint that infer measures in each precision (default: the demo's)")
	cmd.Flags().BoolVar(&o.Framewise, "framewise", false, "infer measures --checkpoint, a CLIP's, frame by frame as well, also where half of a clip's frames are known from the one before")
	cmd.Flags().StringVar(&o.Runtime, "runtime", "", "path of ONNX Runtime's shared library")
	cmd.Flags().StringVar(&o.Provider, "provider", "cpu", "cpu, cuda or tensorrt: what infer and vocab compute on")
	cmd.Flags().StringArrayVar(&o.Videos, "video", nil, "file to read as a camera; repeatable (default: demo clips)")
	cmd.Flags().StringSliceVar(&o.Films, "film", nil, "films that are made for ingest: quiet, busy; each is read with every way of decoding, and by ffmpeg with one thread beside it")
	cmd.Flags().StringVar(&o.Size, "size", "1920x1080", "of the films that are made")
	cmd.Flags().StringVar(&o.Watch, "watch", "", "size, such as 640x360, of a substream beside each film that is made: it is looked at and the film only kept, which is measured after the film alone")
	cmd.Flags().StringVar(&o.Codec, "codec", "h264", "of the films that are made: h264 or hevc")
	cmd.Flags().BoolVar(&o.Beside, "ffmpeg", false, "run ffmpeg beside ingest with --video, too: it reads one camera, picks as many frames, makes them small and compresses them")
	cmd.Flags().IntVar(&o.Cameras, "cameras", 4, "cameras that ingest reads at the same time, with how many capacity begins, and which soak disturbs")
	cmd.Flags().IntVar(&o.Most, "most", 256, "cameras that capacity tries at most")
	cmd.Flags().StringSliceVar(&o.Views, "views", nil, "squares of the picture that ingest's cameras have: centre, tiles, squash, zoom (default: centre)")
	cmd.Flags().StringSliceVar(&o.Decode, "decode", nil, "which pictures of ingest's cameras are decoded: always, demand, or both, measured in turn (default: that of the configuration)")
	cmd.Flags().IntSliceVar(&o.Processes, "processes", []int{0}, "by how many processes ingest's cameras are read, at most, measured in turn; 0: by the benchmark itself")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "of what soak does to cameras, which is the same for the same seed and --cameras")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 3, "how often infer measures each rate, in turn; the medians are printed")
	cmd.Flags().DurationVar(&o.Time, "for", time.Minute, "how long ingest, with each video, vocab, search, up, soak, and each step of capacity are measured")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON instead of a table")
	return cmd
}
