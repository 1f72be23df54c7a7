package doctor

import (
	"cmp"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/procfs"
	"github.com/frostwatch/frostwatch/media"
)

// machine says what the processor brings, which decides in which precision a model is
// imported (docs/models.md).
func (o Options) machine() []Finding {
	what := fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), cmp.Or(procfs.CPU(), "unknown processor"), runtime.GOOS, runtime.GOARCH)
	if runtime.GOARCH != "amd64" {
		return []Finding{{Part: "processor", Grade: OK, What: what}}
	}
	switch vnni := cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI; {
	case vnni && cpu.X86.HasAMXInt8:
		what += "; with VNNI and AMX: models in int8 run fastest"
	case vnni:
		what += "; with VNNI: models in int8 run faster than in float32"
	default:
		what += "; without VNNI: models run in float32 only"
	}
	return []Finding{{Part: "processor", Grade: OK, What: what}}
}

// libraries loads ONNX Runtime with the configured provider, as infer does.
func (o Options) libraries() []Finding {
	out := []Finding{{Part: "FFmpeg", Grade: OK, What: media.LibraryVersions()}}
	c := o.Config.Infer
	r, err := froster.OpenRuntime(froster.RuntimeOptions{Library: c.Runtime, Provider: c.Provider, Threads: c.Threads})
	if err != nil {
		do := ""
		if c.Provider != "cpu" {
			do = "with infer.provider: cpu it works without a GPU"
		}
		return append(out, Finding{"ONNX Runtime", Wrong, err.Error(), do}, o.gpu())
	}
	return append(out, Finding{Part: "ONNX Runtime", Grade: OK, What: fmt.Sprintf("%s, provider %s", r.Version(), c.Provider)}, o.gpu())
}

// nvidiaDriver is there where the driver is loaded.
const nvidiaDriver = "/proc/driver/nvidia/version"

func (o Options) gpu() Finding {
	_, err := os.Stat(nvidiaDriver)
	there, wanted := err == nil, o.Config.Infer.Provider != "cpu"
	switch {
	case wanted && !there:
		return Finding{"GPU", Wrong, fmt.Sprintf("infer.provider is %s, and no NVIDIA driver is loaded here", o.Config.Infer.Provider), "install NVIDIA's driver, or set infer.provider: cpu"}
	case wanted:
		return Finding{Part: "GPU", Grade: OK, What: "NVIDIA's driver is loaded"}
	case there:
		return Finding{"GPU", Warning, "NVIDIA's driver is loaded, and infer.provider is cpu", "to use the GPU set infer.provider: cuda (docs/models.md)"}
	}
	return Finding{Part: "GPU", Grade: OK, What: "none, and none is needed: infer.provider is cpu"}
}

// clock asks the kernel whether something keeps its clock right. Records of machines whose
// clocks differ come too late or too early.
func (o Options) clock() []Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return []Finding{{Part: "clock", Grade: OK, What: fmt.Sprintf("not known whether it is kept right: %v", err)}}
	}
	if state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
		return []Finding{{"clock", Warning, "the kernel says that nothing keeps it right", "run chrony or systemd-timesyncd; on one machine alone it matters less"}}
	}
	return []Finding{{Part: "clock", Grade: OK, What: "kept right"}}
}
