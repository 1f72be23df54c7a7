package media

/*
#cgo pkg-config: libavcodec libavformat libavutil libswscale
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include "heard.h"

// go-astiav 0.16 has neither best_effort_timestamp nor colour matrices.
static int64_t fw_time(const void *f) { return ((const AVFrame *)f)->best_effort_timestamp; }

// A packet's data where it lies.
static void *fw_packet_data(const void *p) { return ((const AVPacket *)p)->data; }

// Nor can it set what a file says of itself.
static void fw_say(void *format, const char *key, const char *value) { av_dict_set(&((AVFormatContext *)format)->metadata, key, value, 0); }

// Nor what a stream is for.
static int fw_disposition(const void *s) { return ((const AVStream *)s)->disposition; }

// fw_losses counts what libav says is missing of a stream.
typedef struct { atomic_long lost; } fw_losses;

// fw_log takes libav's log in place of standard error, where it would print URLs. Nothing
// is formatted, and only heard.c looks at arguments. libav has no other way to tell of packets that are lost and of
// references that are missing: it fills in for them, and marks few of the pictures that
// come of it.
static void fw_log(void *context, int level, const char *format, va_list arguments) {
	fw_hear(format, arguments);
	static const char *const packets[] = {"RTP: missed ", NULL};
	static const char *const pictures[] = {"Frame num gap", "Could not find ref with POC", "concealing ", "error while decoding MB", NULL};
	if (!context) return;
	const AVClass *class = *(const AVClass **)context;
	void *counted;
	const char *const *said;
	if (class == avformat_get_class()) {
		counted = ((AVFormatContext *)context)->opaque;
		said = packets;
	} else if (class == avcodec_get_class()) {
		counted = ((AVCodecContext *)context)->opaque;
		said = pictures;
	} else return;
	if (!counted) return;
	for (; *said; said++)
		if (!strncmp(format, *said, strlen(*said))) {
			atomic_fetch_add(&((fw_losses *)counted)->lost, 1);
			return;
		}
}

static void fw_quiet(void) { av_log_set_callback(fw_log); }
static void *fw_losses_new(void) { return av_mallocz(sizeof(fw_losses)); }
static void fw_losses_free(void *l) { av_free(l); }
static long fw_losses_count(void *l) { return atomic_load(&((fw_losses *)l)->lost); }
static void fw_count_format(void *format, void *l) { ((AVFormatContext *)format)->opaque = l; }
static void fw_count_codec(void *codec, void *l) { ((AVCodecContext *)codec)->opaque = l; }

// The number of a packet, which its frame gets.
static void fw_number(void *codec, int64_t n) { ((AVCodecContext *)codec)->reordered_opaque = n; }
static int64_t fw_number_of(const void *f) { return ((const AVFrame *)f)->reordered_opaque; }

static int fw_corrupt(const void *f) {
	return (((const AVFrame *)f)->flags & AV_FRAME_FLAG_CORRUPT) || ((const AVFrame *)f)->decode_error_flags;
}

typedef struct {
	struct SwsContext *sws;
	uint8_t *row_buffer; // rows padded, for swscale writes whole vectors; NULL: not needed so far
	int stride, size;
	int width, lines, across, down, format, space, range;
} fw_rgb;

// fw_shape is Go's shape.
typedef struct { int across, down, skip, first, lines, gap, a, b, c, d; } fw_shape;

static void fw_rgb_free(fw_rgb *c) {
	sws_freeContext(c->sws);
	c->sws = NULL;
	av_freep(&c->row_buffer);
	c->size = 0;
}

static int fw_rgb_prepare(fw_rgb *c, const AVFrame *f, const fw_shape *s) {
	if (c->sws && c->width == f->width && c->lines == s->lines && c->across == s->across && c->down == s->down &&
	    c->format == f->format && c->space == f->colorspace && c->range == f->color_range)
		return 0;
	fw_rgb_free(c);
	c->width = f->width; c->lines = s->lines; c->across = s->across; c->down = s->down;
	c->format = f->format; c->space = f->colorspace; c->range = f->color_range;
	c->stride = (s->across * 3 + 127) & ~63;
	c->size = c->stride * s->down;
	c->sws = sws_getContext(f->width, s->lines, f->format, s->across, s->lines, AV_PIX_FMT_RGB24,
	                        SWS_BILINEAR, NULL, NULL, NULL);
	if (!c->sws) { fw_rgb_free(c); return AVERROR(ENOMEM); }
	int *inverse, *table, from, to, brightness, contrast, saturation;
	if (sws_getColorspaceDetails(c->sws, &inverse, &from, &table, &to, &brightness, &contrast, &saturation) >= 0) {
		// The yuvj formats are full range whatever the frame says.
		const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
		int full = f->color_range == AVCOL_RANGE_JPEG || (d && !strncmp(d->name, "yuvj", 4));
		sws_setColorspaceDetails(c->sws, sws_getCoefficients(f->colorspace), full, table, to, brightness, contrast, saturation);
	}
	return 0;
}

// fw_rgb_fill makes the lines between those of a field: the mean of the two next to
// each, or a copy of the only one.
static void fw_rgb_fill(fw_rgb *c, const fw_shape *s) {
	int last = s->first + 2 * (s->lines - 1);
	for (int y = 0; y < s->down; y++) {
		if (y >= s->first && y <= last && (y - s->first) % 2 == 0) continue;
		const uint8_t *above = c->row_buffer + (size_t)(y < s->first ? s->first : y > last ? last : y - 1) * c->stride;
		const uint8_t *below = c->row_buffer + (size_t)(y < s->first ? s->first : y > last ? last : y + 1) * c->stride;
		uint8_t *row = c->row_buffer + (size_t)y * c->stride;
		for (int x = 0; x < s->across * 3; x++)
			row[x] = (above[x] + below[x] + 1) >> 1;
	}
}

// fw_rgb_turn writes the rows turned. A turn is its own inverse but for the order of
// its parts: the point shown at (x, y) comes from (a*x + c*y, b*x + d*y), shifted.
static void fw_rgb_turn(const fw_rgb *c, const fw_shape *s, uint8_t *dst) {
	int width = s->a ? s->across : s->down, height = s->a ? s->down : s->across;
	const uint8_t *from = c->row_buffer;
	if (s->a + s->c < 0) from += ((size_t)s->across - 1) * 3;
	if (s->b + s->d < 0) from += ((size_t)s->down - 1) * c->stride;
	ptrdiff_t right = 3 * s->a + (ptrdiff_t)c->stride * s->b, below = 3 * s->c + (ptrdiff_t)c->stride * s->d;
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++, dst += 3)
			memcpy(dst, from + x * right + y * below, 3);
	}
}

// fw_rgb_convert writes packed rows of the picture as people see it, across*down*3
// bytes in all.
static int fw_rgb_convert(fw_rgb *c, const void *frame, fw_shape s, uint8_t *dst) {
	const AVFrame *f = frame;
	int err = fw_rgb_prepare(c, f, &s);
	if (err < 0) return err;
	// Rows of whole vectors can be written to where they are wanted, unless they are turned.
	int plain = s.a == 1 && s.d == 1 && s.gap == 1 && s.across % 64 == 0;
	if (!plain && !c->row_buffer && !(c->row_buffer = av_malloc(c->size))) return AVERROR(ENOMEM);
	const uint8_t *from[AV_NUM_DATA_POINTERS];
	int from_strides[AV_NUM_DATA_POINTERS];
	for (int i = 0; i < AV_NUM_DATA_POINTERS; i++) {
		from[i] = f->data[i];
		from_strides[i] = f->linesize[i];
		if (s.skip == 2 && f->data[i]) {
			from[i] += (ptrdiff_t)s.first * f->linesize[i];
			from_strides[i] *= 2;
		}
	}
	uint8_t *planes[4] = {plain ? dst : c->row_buffer + (size_t)(s.gap == 2 ? s.first : 0) * c->stride};
	int strides[4] = {plain ? s.across * 3 : c->stride * s.gap};
	int rows = sws_scale(c->sws, from, from_strides, 0, s.lines, planes, strides);
	if (rows != s.lines) return AVERROR(EINVAL);
	if (plain) return 0;
	if (s.gap == 2) fw_rgb_fill(c, &s);
	if (s.a != 1 || s.d != 1) {
		fw_rgb_turn(c, &s, dst);
		return 0;
	}
	for (int y = 0; y < s.down; y++)
		memcpy(dst + (size_t)y * s.across * 3, c->row_buffer + (size_t)y * c->stride, (size_t)s.across * 3);
	return 0;
}

// A decoder that was flushed begins anew with the next keyframe.
static void fw_flush(void *codec) { avcodec_flush_buffers(codec); }

// fw_points writes the luma, from 0 to 255, of points in rows over the whole picture, as
// it is stored: each is the mean of four pixels that are spread over it, so that large
// pictures cost no more than small ones. It returns 0 for formats without a plane of luma.
static int fw_points(const void *frame, int columns, int rows, uint8_t *out) {
	const AVFrame *f = frame;
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	if (!d || d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BE))
		return 0;
	int wide = d->comp[0].depth > 8, shift = d->comp[0].shift + (wide ? d->comp[0].depth - 8 : 0);
	if (d->comp[0].depth < 8 || d->comp[0].plane || d->comp[0].offset || d->comp[0].step != 1 + wide) return 0;
	int full = f->color_range == AVCOL_RANGE_JPEG || !strncmp(d->name, "yuvj", 4) || d->nb_components < 3;
	int lefts[512], rights[512];
	if (columns > 512) return 0;
	for (int c = 0; c < columns; c++) {
		lefts[c] = (int64_t)c * f->width / columns;
		rights[c] = (lefts[c] + (int)((int64_t)(c + 1) * f->width / columns)) / 2;
	}
	for (int r = 0; r < rows; r++) {
		int top = (int64_t)r * f->height / rows, bottom = (int64_t)(r + 1) * f->height / rows;
		const uint8_t *above = f->data[0] + (ptrdiff_t)top * f->linesize[0];
		const uint8_t *below = f->data[0] + (ptrdiff_t)((top + bottom) / 2) * f->linesize[0];
		for (int c = 0; c < columns; c++) {
			int left = lefts[c], right = rights[c];
			int v = wide ? ((((const uint16_t *)above)[left] + ((const uint16_t *)above)[right] + ((const uint16_t *)below)[left] + ((const uint16_t *)below)[right]) >> shift)
			             : above[left] + above[right] + below[left] + below[right];
			v = full ? v / 4 : (v - 64) * 298 / 1024; // 255 of 219 levels
			*out++ = v < 0 ? 0 : v > 255 ? 255 : v;
		}
	}
	return 1;
}

// fw_look is what a frame says of how it is to be shown, and its stream where the
// frame does not.
typedef struct {
	int sar_num, sar_den, interlaced, top_first, turned, own, key;
	int32_t matrix[9];
} fw_look;

static fw_look fw_look_at(const void *frame, const void *stream) {
	const AVFrame *f = frame;
	const AVStream *st = stream;
	fw_look l = {.sar_num = f->sample_aspect_ratio.num, .sar_den = f->sample_aspect_ratio.den,
	             .interlaced = f->interlaced_frame, .top_first = f->top_field_first, .key = f->key_frame};
	// As ffmpeg does: the container has the last word on the samples, the frame on the
	// turn.
	if (st->sample_aspect_ratio.num > 0 && st->sample_aspect_ratio.den > 0) {
		l.sar_num = st->sample_aspect_ratio.num;
		l.sar_den = st->sample_aspect_ratio.den;
	}
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	// Fields can be told apart in memory only where each has whole lines of colour.
	if (!d || d->flags & AV_PIX_FMT_FLAG_PAL || d->log2_chroma_h > 1) l.interlaced = 0;
	size_t size = 0;
	const AVFrameSideData *side = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
	const uint8_t *matrix = side ? side->data : av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
	if (side) size = side->size;
	if (matrix && size >= sizeof l.matrix) {
		l.turned = 1;
		l.own = side != NULL;
		memcpy(l.matrix, matrix, sizeof l.matrix);
	}
	return l;
}
*/
import "C"

import (
	"unsafe"

	"github.com/asticode/go-astiav"
)

// attachedPicture is whether a video stream is one picture, such as a film's cover.
func attachedPicture(s *astiav.Stream) bool {
	return disposition(s)&C.AV_DISPOSITION_ATTACHED_PIC != 0
}

// defaultTrack is whether a recording marks a stream as the one to show.
func defaultTrack(s *astiav.Stream) bool { return disposition(s)&C.AV_DISPOSITION_DEFAULT != 0 }

func disposition(s *astiav.Stream) C.int {
	// Its first field is the AVStream, which go-astiav does not hand out.
	return C.fw_disposition(*(*unsafe.Pointer)(unsafe.Pointer(s)))
}

// quiet keeps libav from writing to standard error, in the whole process, and begins
// the counting of losses.
func quiet() { C.fw_quiet() }

// packetData is a packet's data, valid as long as the packet is.
func packetData(p *astiav.Packet) []byte {
	return unsafe.Slice((*byte)(C.fw_packet_data(*(*unsafe.Pointer)(unsafe.Pointer(p)))), p.Size())
}

// sayOfFile writes what a file that is being written says of itself.
func sayOfFile(f *astiav.FormatContext, key, value string) {
	k, v := C.CString(key), C.CString(value)
	C.fw_say(*(*unsafe.Pointer)(unsafe.Pointer(f)), k, v)
	C.free(unsafe.Pointer(k))
	C.free(unsafe.Pointer(v))
}

// losses counts what libav says is lost of a stream: packets, and pictures to which
// others refer. It owns C memory, which must outlive the contexts that are counted.
type losses struct{ c unsafe.Pointer }

func newLosses() losses { return losses{C.fw_losses_new()} }

func (l losses) count() int64 { return int64(C.fw_losses_count(l.c)) }

func (l losses) free() { C.fw_losses_free(l.c) }

// Their one field, or the first of them, is libav's own, which go-astiav does not hand out.
func (l losses) ofFormat(f *astiav.FormatContext) {
	C.fw_count_format(*(*unsafe.Pointer)(unsafe.Pointer(f)), l.c)
}
func (l losses) ofCodec(c *astiav.CodecContext) {
	C.fw_count_codec(*(*unsafe.Pointer)(unsafe.Pointer(c)), l.c)
}

// numberPackets gives the packets that a decoder is sent from here on a number.
func numberPackets(c *astiav.CodecContext, n int64) {
	C.fw_number(*(*unsafe.Pointer)(unsafe.Pointer(c)), C.int64_t(n))
}

// flush makes a decoder forget what it was sent.
func flush(c *astiav.CodecContext) { C.fw_flush(*(*unsafe.Pointer)(unsafe.Pointer(c))) }

// lumaOf writes the luma of columns in rows of an AVFrame to dst, which holds as many
// bytes; false where it has none.
func lumaOf(frame unsafe.Pointer, columns, rows int, dst []byte) bool {
	return C.fw_points(frame, C.int(columns), C.int(rows), (*C.uint8_t)(&dst[0])) != 0
}

// packetOf is the number of the packet that an AVFrame was in.
func packetOf(frame unsafe.Pointer) int64 { return int64(C.fw_number_of(frame)) }

// corrupt is whether libav marks an AVFrame as damaged.
func corrupt(frame unsafe.Pointer) bool { return C.fw_corrupt(frame) != 0 }

// frameTime is an AVFrame's time in its stream's units, noTime if unknown:
// libav's best effort from what the container and the codec say.
func frameTime(frame unsafe.Pointer) int64 { return int64(C.fw_time(frame)) }

// rgbConverter owns swscale's memory. The zero value is ready; free gives back
// what it holds, after which it may be used again.
type rgbConverter struct{ c C.fw_rgb }

// convert writes an AVFrame's picture in the given shape to dst, which holds
// width*height*3 bytes, and returns a negative libav error where it cannot.
func (r *rgbConverter) convert(frame unsafe.Pointer, s shape, dst []byte) int {
	n := func(v int) C.int { return C.int(v) }
	cs := C.fw_shape{
		across: n(s.across), down: n(s.down), skip: n(s.skip), first: n(s.first), lines: n(s.lines), gap: n(s.gap),
		a: n(s.turn.a), b: n(s.turn.b), c: n(s.turn.c), d: n(s.turn.d),
	}
	return int(C.fw_rgb_convert(&r.c, frame, cs, (*C.uint8_t)(&dst[0]))) //nolint:gocritic // is about the code that cgo generates
}

func (r *rgbConverter) free() { C.fw_rgb_free(&r.c) } //nolint:gocritic // is about the code that cgo generates

// lookOf is what a frame of a stream says of how it is to be shown.
func lookOf(f *astiav.Frame, s *astiav.Stream) look {
	c := C.fw_look_at(f.UnsafePointer(), *(*unsafe.Pointer)(unsafe.Pointer(s))) // as in disposition
	l := look{
		width: f.Width(), height: f.Height(), sarNum: int(c.sar_num), sarDen: int(c.sar_den),
		interlaced: c.interlaced != 0, topFirst: c.top_first != 0, turned: c.turned != 0,
		own: c.own != 0, key: c.key != 0,
	}
	for i := range l.matrix {
		l.matrix[i] = int32(c.matrix[i])
	}
	return l
}
