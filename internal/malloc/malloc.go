// Package malloc limits the heaps of C's allocator, for a process in which many
// threads decode video. Importing it is enough; main does.
//
// glibc makes a heap (an "arena") for each thread, up to eight per core, and threads
// of other arenas can't use the memory that is freed in one: with ten cameras a
// process grew for most of an hour (docs/benchmarks.md). glibc's own environment
// variables take precedence over this package.
//
// Pictures of large cameras, which are of a megabyte or more, are not on a heap at all but
// on pages of their own, which go back to the system when a decoder is done with them. By
// itself glibc moves them to the heaps after the first is freed.
//
// The limits are set by a constructor in C, because glibc fixes them as soon as a few
// threads have allocated memory, and Go's runtime starts such threads before main.
package malloc

/*
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_arenas = 2, own_pages = 1 << 20 };

__attribute__((constructor)) static void limit_arenas(void) {
#ifdef M_ARENA_MAX // glibc's
	const char *tunables = getenv("GLIBC_TUNABLES");
	if (!getenv("MALLOC_ARENA_MAX") && !(tunables && strstr(tunables, "glibc.malloc.arena_max")))
		mallopt(M_ARENA_MAX, max_arenas);
#endif
#ifdef M_MMAP_THRESHOLD
	const char *set = getenv("GLIBC_TUNABLES");
	if (!getenv("MALLOC_MMAP_THRESHOLD_") && !(set && strstr(set, "glibc.malloc.mmap_threshold")))
		mallopt(M_MMAP_THRESHOLD, own_pages);
#endif
}

// glibc's report on its heaps, which the caller frees; NULL where there is none.
static char *info(void) {
	char *text = NULL;
#ifdef M_ARENA_MAX
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	malloc_info(0, f);
	fclose(f);
#endif
	return text;
}

// What is allocated, on the heaps and on pages of its own, and what the heaps have besides.
static void usage(size_t *used, size_t *idle) {
	*used = *idle = 0;
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
	struct mallinfo2 m = mallinfo2();
	*used = m.uordblks + m.hblkhd;
	*idle = m.fordblks;
#endif
}
*/
import "C"

import "unsafe"

const maxArenas = C.max_arenas

// info returns malloc_info(3)'s XML, with a <heap> for each arena; empty where C's
// allocator isn't glibc's.
func info() string {
	text := C.info()
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// Usage returns how many bytes C's allocator has given out, and how many it keeps besides,
// which were freed and not given back to the system. It tells a leak from heaps that are
// full of holes. Both are 0 where the allocator isn't glibc's, from 2.33 on.
func Usage() (used, idle uint64) {
	var u, i C.size_t
	C.usage(&u, &i)
	return uint64(u), uint64(i)
}
