// What libav says of a peer's answers, for the thread that listens: see heard.c.
#pragma once

#include <stdarg.h>

void fw_hear(const char *format, va_list args); // called with each line of libav's log
void fw_listen(int on);                         // begins, or ends, the listening of this thread
const char *fw_heard(void);                     // lines, each a letter and what was said
