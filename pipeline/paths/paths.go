// Package paths is a source of log files that are named one by one: files, folders and prefixes of buckets. Each file is a
// delivery, once; there is no queue. It is for a responder who has the logs and wants to look at them now.
package paths

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Objects reads one log file: the file of that path when bucket is "". *source.Objects does.
type Objects interface {
	Records(ctx context.Context, bucket, key string) iter.Seq2[*cloudtrail.Record, error]
}

// Lister lists the objects of a bucket whose keys begin with prefix, until f says no.
type Lister interface {
	List(ctx context.Context, bucket, prefix string, f func(key string, size int64) bool) error
}

// tries is how often a file is read that cannot be delivered.
const tries = 3

// Source hands out the files of its paths. It ends when all of them are settled: with io.EOF, or with an error that names
// those that could not be delivered. It is a pipeline.Source.
type Source struct {
	paths   []string
	objects Objects
	lister  Lister
	log     *zap.Logger

	mu       sync.Mutex
	changed  chan struct{} // closed at every change
	waiting  []*file
	progress Progress
	failed   []error
}

// Progress says how far a Source has come.
type Progress struct {
	Files, Done int64 // found so far, and settled
	Listed      bool  // all are found
}

// New returns a source for paths: files, folders and s3://bucket/prefix. The error of a path that is not there, or is none,
// comes at once; nothing is read yet. lister may be nil when no path is of a bucket.
func New(paths []string, objects Objects, lister Lister, log *zap.Logger) (*Source, error) {
	for _, path := range paths {
		if bucket, _, ok := CutS3(path); ok {
			if bucket == "" {
				return nil, fmt.Errorf("%q names no bucket: write s3://BUCKET/PREFIX", path)
			}
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
	}
	return &Source{paths: paths, objects: objects, lister: lister, log: log, changed: make(chan struct{})}, nil
}

// CutS3 takes s3://bucket/prefix apart. ok reports whether the path is of that form.
func CutS3(path string) (bucket, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(path, "s3://")
	if !ok {
		return "", "", false
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, prefix, true
}

// Start begins to list the files and returns. The listing ends with ctx.
func (s *Source) Start(ctx context.Context) (wait func()) {
	var listing sync.WaitGroup
	listing.Go(func() { s.list(ctx) })
	return listing.Wait
}

// Progress says how far it has come.
func (s *Source) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.progress
}

// Receive implements pipeline.Source.
func (s *Source) Receive(ctx context.Context) (pipeline.Delivery, error) {
	for {
		f, changed, err := s.next()
		if f != nil || err != nil {
			return f, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Source) next() (f pipeline.Delivery, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.waiting) > 0:
		first := s.waiting[0]
		s.waiting = s.waiting[1:]
		return first, nil, nil
	case !s.progress.Listed || s.progress.Done < s.progress.Files:
		return nil, s.changed, nil
	case len(s.failed) > 0:
		return nil, nil, errors.Join(s.failed...)
	}
	return nil, nil, io.EOF
}

// list finds all files.
func (s *Source) list(ctx context.Context) {
	for _, path := range s.paths {
		var err error
		if bucket, prefix, ok := CutS3(path); ok {
			err = s.lister.List(ctx, bucket, prefix, func(key string, size int64) bool {
				s.found(&file{bucket: bucket, path: key, size: size})
				return ctx.Err() == nil
			})
		} else {
			err = s.walk(ctx, path)
		}
		if err != nil {
			s.note(fmt.Errorf("listing %s: %w", path, err))
		}
	}
	s.change(func() { s.progress.Listed = true })
}

// walk finds the files of a folder, or the one file. Names that begin with a dot are left out, except where they are asked for.
func (s *Source) walk(ctx context.Context, root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.note(err)
			return nil
		case path != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		info, err := os.Stat(path) // what a link leads to, where the link itself was named
		if err == nil && (entry.Type().IsRegular() || path == root) && !info.IsDir() {
			s.found(&file{path: path, size: info.Size()})
		}
		return nil
	})
}

// found adds a file, except one that holds no records by its key.
func (s *Source) found(f *file) {
	switch cloudtrail.ParseKey(filepath.ToSlash(f.path)).Content {
	case cloudtrail.ContentDigest, cloudtrail.ContentMarker:
		return
	}
	if strings.HasSuffix(f.path, "/") && f.size == 0 { // a folder as S3's console makes them
		return
	}
	f.source = s
	s.change(func() {
		s.progress.Files++
		s.waiting = append(s.waiting, f)
	})
}

func (s *Source) note(err error) {
	s.log.Warn("logs could not be listed", zap.Error(err))
	s.change(func() { s.failed = append(s.failed, err) })
}

// change changes the source's state and ends the waits of Receive.
func (s *Source) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.changed)
	s.changed = make(chan struct{})
}

// file is the delivery of one file.
type file struct {
	source *Source
	bucket string // "" for a local one
	path   string
	size   int64
	tried  int
}

// String is the file's name.
func (f *file) String() string {
	if f.bucket != "" {
		return "s3://" + f.bucket + "/" + f.path
	}
	return f.path
}

// Size implements pipeline.Sized.
func (f *file) Size() int64 { return f.size }

// Records implements pipeline.Delivery.
func (f *file) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return f.source.objects.Records(ctx, f.bucket, f.path)
}

// Settle implements pipeline.Delivery. A file that failed is tried again.
func (f *file) Settle(_ context.Context, outcome error) error {
	f.source.change(func() {
		f.tried++
		switch {
		case outcome == nil || errors.Is(outcome, pipeline.ErrNotStarted):
			f.source.progress.Done++
		case f.tried < tries:
			f.source.waiting = append(f.source.waiting, f)
		default:
			f.source.progress.Done++
			f.source.failed = append(f.source.failed, fmt.Errorf("%s: %w", f, outcome))
		}
	})
	return nil
}

var _ pipeline.Source = (*Source)(nil)
