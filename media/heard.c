#include "heard.h"

#include <string.h>
#include <strings.h>

// What libav says in its log while a thread listens. Its error codes don't tell a 453
// from a 461, nor how a description that it doesn't understand says that its video is
// coded; its log does. Nothing is written anywhere else: the log holds URLs.
static _Thread_local struct {
	int on, length, fresh; // fresh: the next line is the first of an answer
	char text[4096];       // lines, each a letter and what was said
} fw_ear;

static void fw_note(char what, const char *text, int length) {
	int room = (int)sizeof fw_ear.text - fw_ear.length - 3;
	if (length > 100) length = 100;
	if (length > room) return;
	char *p = fw_ear.text + fw_ear.length;
	p[0] = what;
	memcpy(p + 1, text, length);
	p[length + 1] = '\n';
	p[length + 2] = 0;
	fw_ear.length += length + 2;
}

void fw_hear(const char *format, va_list args) {
	if (!fw_ear.on) return;
	// All of these have one text as their only argument.
	int sent = !strcmp(format, "Sending:\n%s--\n"), line = !strcmp(format, "line='%s'\n");
	int header = !strcmp(format, "header='%s'\n"), description = !strcmp(format, "SDP:\n%s\n");
	if (!sent && !line && !header && !description) return;
	va_list copy;
	va_copy(copy, args);
	const char *text = va_arg(copy, const char *);
	va_end(copy);
	if (!text) return;
	int first = fw_ear.fresh || (header && !strncmp(text, "HTTP/", 5));
	fw_ear.fresh = sent;
	if (sent) {
		fw_note('>', text, strcspn(text, " ")); // the rest may hold a password
	} else if (description) {
		for (; *text; text += strspn(text, "\r\n")) {
			int length = strcspn(text, "\r\n");
			if (!strncmp(text, "m=", 2) || !strncmp(text, "a=rtpmap:", 9)) fw_note('=', text, length);
			text += length;
		}
	} else if (first) {
		fw_note('<', text, strcspn(text, "\r\n"));
	} else if (!strncasecmp(text, "Content-Type:", 13)) {
		fw_note('t', text + 13, strcspn(text + 13, ";\r\n"));
	}
}

void fw_listen(int on) {
	fw_ear.on = fw_ear.fresh = on;
	if (on) fw_ear.text[fw_ear.length = 0] = 0;
}

const char *fw_heard(void) { return fw_ear.text; }
