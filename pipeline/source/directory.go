package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
)

// DirectoryConfig is sources.directory.
type DirectoryConfig struct {
	Path  string `yaml:"path"`
	Watch bool   `yaml:"watch"` // go on with files that appear later
}

// Validate checks the section. Its errors are *value.Problem.
func (c DirectoryConfig) Validate() error {
	info, err := os.Stat(c.Path)
	if err != nil || !info.IsDir() {
		return value.Wrong("path", "%q is no folder: write the path of one that holds CloudTrail files", c.Path)
	}
	return nil
}

const (
	fileTries   = 3
	fileRetry   = time.Second     // the first wait after a file that failed, doubled each time
	rescanEvery = 2 * time.Second // how often a watched folder is looked through
)

// Directory is a source of the files in a folder and the folders below it, each one delivery. Links are not followed and
// names that begin with a dot are left out. Files are read, never changed or moved. It is a pipeline.Source.
//
// Without Watch it ends when every file is settled: with io.EOF, or with an error that names the files that could not be
// delivered in three tries. With Watch it goes on with files that appear or change, and tries failed ones again for ever.
type Directory struct {
	config DirectoryConfig
	log    *zap.Logger

	mu      sync.Mutex
	scanned bool
	seen    map[string]stamp
	waiting []*file
	open    int // handed out, or waiting for another try
	failed  []error
	changed chan struct{} // closed at every change
}

// stamp tells a file from a later one of the same name.
type stamp struct {
	size int64
	time time.Time
}

// NewDirectory returns a source for the folder of c, which is valid.
func NewDirectory(c DirectoryConfig, log *zap.Logger) *Directory {
	return &Directory{config: c, log: log, seen: map[string]stamp{}, changed: make(chan struct{})}
}

// Receive implements pipeline.Source.
func (d *Directory) Receive(ctx context.Context) (pipeline.Delivery, error) {
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f, changed, err := d.next()
		if f != nil || err != nil {
			return f, err
		}
		var rescan <-chan time.Time
		if d.config.Watch {
			rescan = time.After(rescanEvery)
		}
		select {
		case <-changed:
		case <-rescan:
			d.rescan()
		case <-ctx.Done():
		}
	}
}

// next is the next file, or the source's end, or what to wait for.
func (d *Directory) next() (f pipeline.Delivery, changed <-chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.scanned {
		d.scan()
	}
	switch {
	case len(d.waiting) > 0:
		first := d.waiting[0]
		d.waiting = d.waiting[1:]
		d.open++
		return first, nil, nil
	case d.open > 0 || d.config.Watch:
		return nil, d.changed, nil
	case len(d.failed) > 0:
		return nil, nil, fmt.Errorf("%d files of %s were not delivered: %w", len(d.failed), d.config.Path, errors.Join(d.failed...))
	}
	return nil, nil, io.EOF
}

func (d *Directory) rescan() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scan()
}

// scan finds files that are new or have changed. The lock is held.
func (d *Directory) scan() {
	d.scanned = true
	err := filepath.WalkDir(d.config.Path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			d.log.Warn("part of the folder cannot be read", zap.Error(err))
			return nil
		}
		if path != d.config.Path && strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			d.found(path, entry)
		}
		return nil
	})
	if err != nil {
		d.log.Warn("the folder cannot be read", zap.Error(err))
	}
}

func (d *Directory) found(path string, entry fs.DirEntry) {
	info, err := entry.Info()
	if err != nil {
		return // it has just gone
	}
	now := stamp{info.Size(), info.ModTime()}
	if d.seen[path] == now {
		return
	}
	d.seen[path] = now
	d.waiting = append(d.waiting, &file{source: d, path: path, size: info.Size()})
}

// settled notes how a file was settled. One that failed comes again after a pause, three times at most in a folder that is
// not watched.
func (d *Directory) settled(f *file, outcome error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.tries++
	switch {
	case outcome == nil || errors.Is(outcome, pipeline.ErrNotStarted):
		d.open--
	case f.tries >= fileTries && !d.config.Watch:
		d.open--
		d.failed = append(d.failed, fmt.Errorf("%s: %w", f.path, outcome))
	default:
		time.AfterFunc(fileRetry<<min(f.tries-1, 6), func() { d.again(f) })
	}
	d.wake()
}

func (d *Directory) again(f *file) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	d.waiting = append(d.waiting, f)
	d.wake()
}

// wake ends the waits of Receive. The lock is held.
func (d *Directory) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

var _ pipeline.Source = (*Directory)(nil)
