// Package crashtest crashes the process in C, as a fault of libav's would, for tests.
package crashtest

// static void crash(void) { volatile int *nowhere = 0; *nowhere = 1; }
import "C"

// InC does not return: the process is ended by SIGSEGV.
func InC() { C.crash() }
