package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/scoring"
)

// searchFigures is what searching the archive costs one core. Rates are clips a second
// of CPU time, so that other work of the machine counts little; medians over the rounds.
type searchFigures struct {
	Clips  int     `json:"clips"`
	Dims   int     `json:"dims"`
	Files  int     `json:"files"`
	FileMB float64 `json:"files_mb"`
	// Contrast and Similarity are searches by words, with the files read.
	Contrast   float64 `json:"by_contrast_clips_per_cpu_s"`
	Similarity float64 `json:"by_similarity_clips_per_cpu_s"`
	// Plain is a loop in Go that multiplies and adds float32 vectors in memory, Vector
	// the same with the processor's vector instructions, Read the reading of as many
	// bytes of the files as the embeddings have.
	Plain  float64 `json:"plain_loop_clips_per_cpu_s"`
	Vector float64 `json:"vector_instructions_clips_per_cpu_s"`
	Read   float64 `json:"read_alone_clips_per_cpu_s"`
	// Ratio is Contrast / Plain, the median over the rounds.
	Ratio  float64 `json:"ratio_to_plain_loop"`
	Rounds int     `json:"rounds"`
}

func (b *bench) search(ctx context.Context) (out *searchFigures, err error) {
	bucket, err := archive.OpenBucket(ctx, filepath.Join(b.dir, "archive"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	b.say("search: making an archive")
	past, err := makePast(ctx, bucket, min(max(int(b.Time.Seconds())/2, 1), 6))
	if err != nil {
		return nil, err
	}
	past.reader, err = archive.NewReader(archive.ReaderOptions{Bucket: bucket, Parallel: 1})
	if err != nil {
		return nil, err
	}
	out = &searchFigures{Clips: past.clips, Dims: pastDims}
	if past.files, err = b.archived(out); err != nil {
		return nil, err
	}
	past.fileMB = out.FileMB
	return out, b.searchInTurn(ctx, past, out)
}

// archived returns the archive's files and counts them.
func (b *bench) archived(out *searchFigures) (files []string, err error) {
	err = filepath.WalkDir(filepath.Join(b.dir, "archive"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files = append(files, path)
		out.FileMB += float64(info.Size()) / 1e6
		return nil
	})
	out.Files = len(files)
	return files, err
}

// searchInTurn measures each way once in each round, until the time is over.
func (b *bench) searchInTurn(ctx context.Context, p *past, out *searchFigures) error {
	ways := []struct {
		do  func() error
		out *float64
	}{
		{func() error { return p.search(ctx, "contrast") }, &out.Contrast},
		{p.plain, &out.Plain},
		{func() error { return p.search(ctx, "similarity") }, &out.Similarity},
		{p.vector, &out.Vector},
		{p.read, &out.Read},
	}
	rates := make([][]float64, len(ways))
	for begun := time.Now(); out.Rounds == 0 || time.Since(begun) < b.Time; out.Rounds++ {
		b.say("search: round %d", out.Rounds+1)
		for i, w := range ways {
			rate, err := cpuRate(p.clips, w.do)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	ratios := make([]float64, out.Rounds)
	for i := range ratios {
		ratios[i] = rates[0][i] / rates[1][i]
	}
	for i, w := range ways {
		*w.out = median(rates[i])
	}
	out.Ratio = median(ratios)
	return nil
}

// cpuRate is how many of n clips a call does in a second of CPU time.
func cpuRate(n int, do func() error) (float64, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := ownCPU()
	return float64(n) / max(after-before, time.Microsecond).Seconds(), err
}

func (p *past) search(ctx context.Context, measure string) error {
	found, err := calibrate.Search(ctx, calibrate.SearchOptions{Query: calibrate.Query{Words: p.words}, Past: p.reader, Measure: measure})
	if err == nil && found.Scored != p.clips {
		err = fmt.Errorf("%d of %d clips were compared", found.Scored, p.clips)
	}
	return err
}

// plain is the dot product of the text with each clip as one would write it.
func (p *past) plain() error {
	for at := 0; at < len(p.vectors); at += pastDims {
		clip := p.vectors[at : at+pastDims]
		sum := float32(0)
		for i, v := range p.text {
			sum += v * clip[i]
		}
		p.highest = max(p.highest, sum)
	}
	return nil
}

func (p *past) vector() error {
	for at := 0; at < len(p.vectors); at += pastDims {
		p.highest = max(p.highest, scoring.Dot(p.text, p.vectors[at:at+pastDims]))
	}
	return nil
}

// read reads as many bytes of the files as the embeddings have: the same share of each
// file.
func (p *past) read() error {
	buffer := make([]byte, 1<<20)
	share := 2 * pastDims * float64(p.clips) / (1e6 * p.fileMB)
	for _, name := range p.files {
		if err := readShare(name, share, buffer); err != nil {
			return err
		}
	}
	return nil
}

func readShare(name string, share float64, buffer []byte) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for left := int64(share * float64(info.Size())); err == nil && left > 0; left -= int64(len(buffer)) {
		_, err = io.ReadFull(f, buffer[:min(left, int64(len(buffer)))])
	}
	return err
}

func (s searchFigures) print(row func(...string)) {
	row()
	row("search", fmt.Sprintf("%d clips with embeddings of %d in %d files of %.0f MB; by CPU time, median of %d rounds", s.Clips, s.Dims, s.Files, s.FileMB, s.Rounds))
	million := func(rate float64) string { return fmt.Sprintf("%.2f million clips/s", rate/1e6) }
	row("  by contrast", fmt.Sprintf("%s with the files read, %.2f times the plain loop", million(s.Contrast), s.Ratio))
	row("  by similarity", million(s.Similarity)+" with the files read")
	row("  plain loop", fmt.Sprintf("%s: one dot product each, float32 in memory; %s with vector instructions", million(s.Plain), million(s.Vector)))
	row("  reading", million(s.Read)+": as many bytes of the files alone")
}
