// Package malloc sets up C's allocator for a process in which many threads decode
// video. Importing it is enough; main does.
//
// glibc makes a heap (an "arena") for each thread, up to eight a core, and memory
// that one thread frees is not there for the others: with ten cameras a process
// grew for most of an hour (docs/benchmarks.md). Its own environment variables go
// before what is set here.
//
// It is done by a constructor in C, and by nothing that main could call: glibc
// settles its limit as soon as a few threads have allocated, and Go's runtime has
// started those before main.
package malloc

/*
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { arenas = 2 };

__attribute__((constructor)) static void limit_arenas(void) {
#ifdef M_ARENA_MAX // glibc's
	const char *tunables = getenv("GLIBC_TUNABLES");
	if (!getenv("MALLOC_ARENA_MAX") && !(tunables && strstr(tunables, "glibc.malloc.arena_max")))
		mallopt(M_ARENA_MAX, arenas);
#endif
}
*/
import "C"
