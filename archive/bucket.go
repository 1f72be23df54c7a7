package archive

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"github.com/frostwatch/frostwatch/internal/redact"
)

// Bucket holds the segments: a folder or an S3 bucket. Safe for concurrent use.
type Bucket struct {
	blob *blob.Bucket
	dir  string // of a bucket that is a folder; what is written is synced to the disk
	// address is where it is, to be shown: without a query, and no user.
	address string
}

// OpenBucket opens a folder (a path or file:///path, made where it is absent) or
// an S3 bucket: s3://NAME, with region, endpoint, use_path_style, prefix and so
// on as query parameters, and credentials from where AWS' tools take them.
func OpenBucket(ctx context.Context, location string) (*Bucket, error) {
	if location == "" {
		return nil, errors.New("open archive: no bucket is configured")
	}
	if dir, is := Folder(location); is {
		return openFolder(dir)
	}
	if strings.HasPrefix(location, s3blob.Scheme+"://") {
		return openS3(ctx, location)
	}
	return nil, fmt.Errorf("open archive: bucket %q: want a folder, file:// or s3://", hideQuery(location))
}

// Folder is the folder of this machine that a location means, if it means one.
func Folder(location string) (dir string, is bool) {
	if dir, is := strings.CutPrefix(location, "file://"); is {
		return dir, true
	}
	return location, location != "" && !strings.Contains(location, "://")
}

func openFolder(dir string) (*Bucket, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", dir, err)
	}
	b, err := fileblob.OpenBucket(abs, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o755, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", dir, err)
	}
	return &Bucket{blob: b, dir: abs, address: (&url.URL{Scheme: "file", Path: abs}).String()}, nil
}

func openS3(ctx context.Context, location string) (*Bucket, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("open archive: bucket %q is not a URL", hideQuery(location))
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.User != nil {
		return nil, fmt.Errorf("open archive %s: want s3://NAME?region=..., without a user: credentials come from the environment or AWS' files", hideQuery(location))
	}
	prefix := q.Get("prefix")
	q.Del("prefix")
	u.RawQuery = q.Encode()
	b, err := (&s3blob.URLOpener{}).OpenBucketURL(ctx, u)
	if err != nil {
		// It repeats the URL.
		return nil, fmt.Errorf("open archive %s", strings.ReplaceAll(err.Error(), u.String(), hideQuery(location)))
	}
	address := &url.URL{Scheme: s3blob.Scheme, Host: u.Host}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		b = blob.PrefixedBucket(b, prefix+"/")
		address.Path = "/" + prefix
	}
	return &Bucket{blob: b, address: address.String()}, nil
}

// hideQuery leaves out the parts that may hold a secret.
func hideQuery(location string) string {
	if at := strings.LastIndexByte(location, '@'); at < strings.IndexByte(location, '?') {
		location, _, _ = strings.Cut(location, "?")
	}
	return redact.Text(location)
}

// Close closes connections.
func (b *Bucket) Close() error { return b.blob.Close() }

// put writes an object, whole or not at all, and returns once it is stored.
func (b *Bucket) put(ctx context.Context, key string, content []byte) error {
	sum := md5.Sum(content)
	err := b.blob.WriteAll(ctx, key, content, &blob.WriterOptions{
		ContentType: "application/vnd.apache.parquet", DisableContentTypeDetection: true, ContentMD5: sum[:],
	})
	if err == nil && b.dir != "" {
		err = b.sync(key)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

// sync makes a file and its folders survive a power loss: its offsets are committed
// next, and Kafka may delete the records.
func (b *Bucket) sync(key string) error {
	for path := filepath.Join(b.dir, filepath.FromSlash(key)); len(path) >= len(b.dir); path = filepath.Dir(path) {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes an object; one that is gone already is no error.
func (b *Bucket) remove(ctx context.Context, key string) error {
	if err := b.blob.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	return nil
}

// readAt fills p with an object's bytes from offset on.
func (b *Bucket) readAt(ctx context.Context, key string, p []byte, offset int64) error {
	r, err := b.blob.NewRangeReader(ctx, key, offset, int64(len(p)), nil)
	if err == nil {
		_, err = io.ReadFull(r, p)
		err = errors.Join(err, r.Close())
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || gcerrors.Code(err) == gcerrors.NotFound:
		return fmt.Errorf("read %s: %w: %w", key, errBroken, err)
	}
	return fmt.Errorf("read %s: %w", key, err)
}

// object is an entry of a listing.
type object struct {
	key      string
	size     int64
	modified time.Time
	folder   bool
}

// maxVanished is how often a page of a folder's listing is read again because a file
// was renamed or removed meanwhile: segments are written under another name first,
// and retention deletes old ones.
const maxVanished = 100

// list calls fn for the objects whose keys begin with prefix, in the keys' order.
// Without flat, a folder is one entry, for all that is in it.
func (b *Bucket) list(ctx context.Context, prefix string, flat bool, fn func(object) error) error {
	o := &blob.ListOptions{Prefix: prefix}
	if !flat {
		o.Delimiter = "/"
	}
	vanished := 0
	for it := b.blob.List(o); ; {
		entry, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if b.dir != "" && gcerrors.Code(err) == gcerrors.NotFound && vanished < maxVanished {
			vanished++ // nothing of this page was returned yet: it is read again
			continue
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		if err := fn(object{entry.Key, entry.Size, entry.ModTime, entry.IsDir}); err != nil {
			return err
		}
	}
}
