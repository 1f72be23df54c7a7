package froster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	ort "github.com/yalue/onnxruntime_go"
)

// libraryFile is ONNX Runtime's shared library, as its releases name it.
const libraryFile = "libonnxruntime.so"

// RuntimeOptions choose ONNX Runtime's library and how it computes.
type RuntimeOptions struct {
	// Library is the shared library's path. If empty, it is looked for beside
	// the program, in lib (a release) or .native/onnxruntime beside the program, in
	// .native/onnxruntime of the working directory, and then wherever the loader looks.
	Library  string
	Provider string // cpu, cuda or tensorrt
	// Threads is how many runs, of one thread each, may be under way at once;
	// 0: one for each core.
	Threads int
}

// Runtime is ONNX Runtime, loaded. The library is never unloaded, so the first
// path from which it was loaded stays in use for the life of the process.
type Runtime struct {
	options RuntimeOptions
	pace    *pace // shared by all its models
}

// OpenRuntime loads the library. It must not be called concurrently.
func OpenRuntime(o RuntimeOptions) (*Runtime, error) {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if !ort.IsInitialized() {
		library, err := findLibrary(o.Library)
		if err != nil {
			return nil, err
		}
		ort.SetSharedLibraryPath(library)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
			return nil, fmt.Errorf("load ONNX Runtime from %s: %w (`make setup` fetches it; or set infer.runtime to its path)", library, err)
		}
	}
	r := &Runtime{options: o, pace: newPace(time.Now, textShare(o))}
	// Fails now rather than at the first clip if the provider is not available.
	s, err := r.sessionOptions()
	if err != nil {
		return nil, err
	}
	if err := s.Destroy(); err != nil {
		return nil, fmt.Errorf("open ONNX Runtime: %w", err)
	}
	return r, nil
}

// Threads is how many runs may be under way at once.
func (r *Runtime) Threads() int { return r.options.Threads }

// Version is the version of the library in use.
func (r *Runtime) Version() string { return ort.GetVersion() }

func findLibrary(configured string) (string, error) {
	if configured != "" {
		if _, err := os.Stat(configured); err != nil {
			return "", fmt.Errorf("load ONNX Runtime: infer.runtime: %w (`make setup` fetches it)", err)
		}
		return configured, nil
	}
	var places []string
	if program, err := os.Executable(); err == nil {
		dir := filepath.Dir(program)
		places = append(places, dir, filepath.Join(dir, "lib"), filepath.Join(dir, ".native", "onnxruntime"))
	}
	places = append(places, filepath.Join(".native", "onnxruntime"))
	for _, p := range places {
		path := filepath.Join(p, libraryFile)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return libraryFile, nil
}

// sessionOptions makes options that the caller destroys.
func (r *Runtime) sessionOptions() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("open ONNX Runtime: %w", err)
	}
	err = errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1))
	if err == nil {
		err = r.provide(o)
	}
	if err != nil {
		return nil, errors.Join(err, o.Destroy())
	}
	return o, nil
}

func (r *Runtime) provide(o *ort.SessionOptions) error {
	switch r.options.Provider {
	case "", "cpu":
		return nil
	case "cuda":
		return needsGPU("cuda", addCUDA(o))
	case "tensorrt":
		// Operators that TensorRT does not know, such as ONNX Runtime's own,
		// run on the GPU by CUDA.
		return needsGPU("tensorrt", errors.Join(addTensorRT(o), addCUDA(o)))
	}
	return fmt.Errorf("infer.provider: %q: want cpu, cuda or tensorrt", r.options.Provider)
}

func addCUDA(o *ort.SessionOptions) error {
	c, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	return errors.Join(o.AppendExecutionProviderCUDA(c), c.Destroy())
}

// addTensorRT keeps the engines that TensorRT builds in the user's cache
// folder, because building takes minutes. ONNX Runtime names them after the
// graph.
func addTensorRT(o *ort.SessionOptions) error {
	t, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	cache, err := engineFolder()
	if err == nil {
		err = t.Update(map[string]string{"trt_fp16_enable": "1", "trt_engine_cache_enable": "1", "trt_engine_cache_path": cache})
	}
	if err == nil {
		err = o.AppendExecutionProviderTensorRT(t)
	}
	return errors.Join(err, t.Destroy())
}

// engineFolder creates the folder for engines with its parents and returns it:
// ONNX Runtime would create only the last folder of the path, and fail if its
// parent is missing.
func engineFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err == nil {
		cache = filepath.Join(cache, "frostwatch", "tensorrt")
		err = os.MkdirAll(cache, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("make a place for TensorRT's engines: %w", err)
	}
	return cache, nil
}

// onGPU reports whether runs are on a GPU.
func (r *Runtime) onGPU() bool { return r.options.Provider != "" && r.options.Provider != "cpu" }

func needsGPU(provider string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("infer.provider: %s is not available here: it needs an NVIDIA GPU, ONNX Runtime's GPU build and its CUDA libraries: %w", provider, err)
}

// session is one loaded graph. It may be run concurrently.
type session struct {
	graph   *ort.DynamicAdvancedSession
	outputs int
}

// besideKey is ONNX Runtime's setting for the folder in which a graph that is loaded
// from memory finds the values that are in files of their own.
const besideKey = "session.model_external_initializers_file_folder_path"

// load loads a graph; dir is where its larger constants are, if not in the graph.
func (r *Runtime) load(graph []byte, dir string, inputs, outputs []string) (*session, error) {
	o, err := r.sessionOptions()
	if err != nil {
		return nil, err
	}
	if dir != "" {
		if err := o.AddSessionConfigEntry(besideKey, dir); err != nil {
			return nil, errors.Join(fmt.Errorf("load graph: %w", err), o.Destroy())
		}
	}
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(graph, inputs, outputs, o)
	if err = errors.Join(err, o.Destroy()); err != nil {
		return nil, fmt.Errorf("load graph: %w", err)
	}
	return &session{graph: s, outputs: len(outputs)}, nil
}

func (s *session) close() error { return s.graph.Destroy() }

// input is a tensor passed to a run. Go keeps the memory of its data.
type input struct {
	shape []int
	data  any // []uint8, []float32 or []int64
}

func (in input) value() (ort.Value, error) {
	shape := make(ort.Shape, len(in.shape))
	for i, d := range in.shape {
		shape[i] = int64(d)
	}
	switch data := in.data.(type) {
	case []uint8:
		return ort.NewTensor(shape, data)
	case []float32:
		return ort.NewTensor(shape, data)
	case []int64:
		return ort.NewTensor(shape, data)
	}
	return nil, fmt.Errorf("tensor of %T", in.data)
}

// run runs the graph and returns copies of the float32 outputs.
func (s *session) run(inputs ...input) (out [][]float32, err error) {
	var in []ort.Value
	results := make([]ort.Value, s.outputs)
	defer func() {
		for _, v := range append(in, results...) {
			if v != nil {
				err = errors.Join(err, v.Destroy())
			}
		}
	}()
	for i, x := range inputs {
		v, err := x.value()
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", strconv.Itoa(i), err)
		}
		in = append(in, v)
	}
	if err := s.graph.Run(in, results); err != nil {
		return nil, err
	}
	for _, v := range results {
		t, ok := v.(*ort.Tensor[float32])
		if !ok {
			return nil, fmt.Errorf("output is %T", v)
		}
		out = append(out, append([]float32(nil), t.GetData()...))
	}
	return out, nil
}
