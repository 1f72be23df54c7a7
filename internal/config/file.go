package config

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// File is a configuration file as it was read. The zero value is no file.
type File struct {
	Path   string
	Config Config
	sum    Sum
	lines  map[string]int      // by key
	named  map[string][]string // environment variables in the values, by key
	from   *origins            // what these variables hold
}

// Sum is a hash that distinguishes the contents of files.
type Sum [sha256.Size]byte

// OfNothing reports whether the content is empty, or can't be read.
func (s Sum) OfNothing() bool { return s == Sum{} || s == sha256.Sum256(nil) }

// Open reads and checks a file. Keys that it leaves out keep their defaults.
func Open(path string) (File, error) {
	b, err := read(path)
	if err != nil {
		return File{}, err
	}
	f, err := parse(path, b, os.LookupEnv)
	f.Path, f.sum = path, sha256.Sum256(b)
	return f, err
}

// Empty reports whether the file holds no key at all.
func (f File) Empty() bool {
	for key := range f.lines {
		if key != "" {
			return false
		}
	}
	return true
}

// Names reports whether the file holds a key, such as "kafka.brokers".
func (f File) Names(key string) bool {
	_, has := f.lines[key]
	return has
}

// Wrong is the error for a problem that another package finds with the value of
// a key, such as "cameras[2]".
func (f File) Wrong(key, what string) error {
	return fmt.Errorf("%s:%d: %s: %s", f.Path, max(f.lines[key], 1), shownPath(key), f.from.said(key, what))
}

// Said is a text about several of the file's keys as it may be printed.
func (f File) Said(what string) string { return f.from.said("*", what) }

// Load is like Open but returns only the configuration.
func Load(path string) (Config, error) {
	f, err := Open(path)
	return f.Config, err
}

// Sum is the hash of the content that was read.
func (f File) Sum() Sum { return f.sum }

// Now is the hash of the file's content now, or the zero value if it can't be
// read.
func (f File) Now() Sum {
	b, err := read(f.Path)
	if err != nil {
		return Sum{}
	}
	return sha256.Sum256(b)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return b, nil
}
