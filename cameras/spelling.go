package cameras

import "strings"

// Spelled is a URL without what people and copying add by mistake: white space around
// it, blanks in its path, and the zone of an IPv6 address without the escape that
// RFC 6874 wants ("[fe80::1%eth0]").
func Spelled(raw string) string {
	raw = strings.TrimSpace(raw)
	start := strings.Index(raw, "://")
	if start < 0 {
		return raw // a file's path
	}
	start += len("://")
	end := len(raw)
	if i := strings.IndexAny(raw[start:], "/?#"); i >= 0 {
		end = start + i
	}
	authority := raw[start:end]
	if open := strings.LastIndexByte(authority, '['); open >= 0 {
		if at := strings.IndexByte(authority[open:], '%'); at >= 0 && !strings.HasPrefix(authority[open+at:], "%25") {
			authority = authority[:open+at] + "%25" + authority[open+at+1:]
		}
	}
	rest := raw[end:]
	if !strings.HasPrefix(strings.ToLower(raw), "file:") {
		rest = strings.ReplaceAll(rest, " ", "%20")
	}
	return raw[:start] + authority + rest
}
