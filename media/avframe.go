package media

/*
#cgo pkg-config: libavformat libavutil libswscale
#include <string.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// go-astiav 0.16 has neither best_effort_timestamp nor colour matrices.
static int64_t fw_time(const void *f) { return ((const AVFrame *)f)->best_effort_timestamp; }

// It does not give a format's URL either, which libav changes when it follows a
// redirection of RTSP.
static const char *fw_url(const void *f) { return ((const AVFormatContext *)f)->url; }

// Nor what a stream is for.
static int fw_attached(const void *s) { return ((const AVStream *)s)->disposition & AV_DISPOSITION_ATTACHED_PIC; }

typedef struct {
	struct SwsContext *sws;
	uint8_t *row_buffer; // rows padded, for swscale writes whole vectors
	int stride, size;
	int width, height, format, space, range;
} fw_rgb;

static void fw_rgb_free(fw_rgb *c) {
	sws_freeContext(c->sws);
	c->sws = NULL;
	av_freep(&c->row_buffer);
	c->size = 0;
}

static int fw_rgb_prepare(fw_rgb *c, const AVFrame *f) {
	if (c->sws && c->width == f->width && c->height == f->height && c->format == f->format &&
	    c->space == f->colorspace && c->range == f->color_range)
		return 0;
	fw_rgb_free(c);
	c->width = f->width; c->height = f->height; c->format = f->format;
	c->space = f->colorspace; c->range = f->color_range;
	c->stride = (f->width * 3 + 127) & ~63;
	c->size = c->stride * f->height;
	c->row_buffer = av_malloc(c->size);
	c->sws = sws_getContext(f->width, f->height, f->format, f->width, f->height, AV_PIX_FMT_RGB24,
	                        SWS_BILINEAR, NULL, NULL, NULL);
	if (!c->row_buffer || !c->sws) { fw_rgb_free(c); return AVERROR(ENOMEM); }
	int *inverse, *table, from, to, brightness, contrast, saturation;
	if (sws_getColorspaceDetails(c->sws, &inverse, &from, &table, &to, &brightness, &contrast, &saturation) >= 0) {
		// The yuvj formats are full range whatever the frame says.
		const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
		int full = f->color_range == AVCOL_RANGE_JPEG || (d && !strncmp(d->name, "yuvj", 4));
		sws_setColorspaceDetails(c->sws, sws_getCoefficients(f->colorspace), full, table, to, brightness, contrast, saturation);
	}
	return 0;
}

// fw_rgb_convert writes packed rows, width*height*3 bytes.
static int fw_rgb_convert(fw_rgb *c, const void *frame, uint8_t *dst) {
	const AVFrame *f = frame;
	int err = fw_rgb_prepare(c, f);
	if (err < 0) return err;
	uint8_t *planes[4] = {c->row_buffer};
	int strides[4] = {c->stride};
	int rows = sws_scale(c->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes, strides);
	if (rows != f->height) return AVERROR(EINVAL);
	for (int y = 0; y < rows; y++)
		memcpy(dst + (size_t)y * f->width * 3, c->row_buffer + (size_t)y * c->stride, (size_t)f->width * 3);
	return 0;
}
*/
import "C"

import (
	"unsafe"

	"github.com/asticode/go-astiav"
)

// formatURL is the URL that an open format is read from, after redirections.
func formatURL(f *astiav.FormatContext) string {
	// Its one field is the AVFormatContext, which go-astiav does not hand out.
	return C.GoString(C.fw_url(*(*unsafe.Pointer)(unsafe.Pointer(f))))
}

// attachedPicture is whether a video stream is one picture, such as a film's cover.
func attachedPicture(s *astiav.Stream) bool {
	// Its first field is the AVStream, which go-astiav does not hand out.
	return C.fw_attached(*(*unsafe.Pointer)(unsafe.Pointer(s))) != 0
}

// frameTime is an AVFrame's time in its stream's units, noTime if unknown:
// libav's best effort from what the container and the codec say.
func frameTime(frame unsafe.Pointer) int64 { return int64(C.fw_time(frame)) }

// rgbConverter owns swscale's memory. The zero value is ready; free gives back
// what it holds, after which it may be used again.
type rgbConverter struct{ c C.fw_rgb }

// convert writes an AVFrame's picture to dst, which holds width*height*3 bytes,
// and returns a negative libav error where it cannot.
func (r *rgbConverter) convert(frame unsafe.Pointer, dst []byte) int {
	return int(C.fw_rgb_convert(&r.c, frame, (*C.uint8_t)(&dst[0]))) //nolint:gocritic // is about the code that cgo generates
}

func (r *rgbConverter) free() { C.fw_rgb_free(&r.c) } //nolint:gocritic // is about the code that cgo generates
