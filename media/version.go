package media

// #cgo pkg-config: libavcodec libavformat libavutil
// #include <libavcodec/avcodec.h>
// #include <libavformat/avformat.h>
// #include <libavutil/avutil.h>
import "C"

import "fmt"

// LibraryVersions are the versions of FFmpeg and of its libraries that are loaded.
func LibraryVersions() string {
	return fmt.Sprintf("%s (libavcodec %s, libavformat %s)", C.GoString(C.av_version_info()),
		libraryVersion(C.avcodec_version()), libraryVersion(C.avformat_version()))
}

// libraryVersion is what AV_VERSION_INT packs.
func libraryVersion(v C.uint) string { return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff) }
