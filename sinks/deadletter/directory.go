package deadletter

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trailship/trailship/pipeline"
)

// fileTime is how names of files and objects begin, so that they sort by age.
const fileTime = "20060102T150405Z"

// When letters go to a new file.
const (
	maxFile = 64 << 20
	maxAge  = 24 * time.Hour
)

// directory keeps letters as JSON lines in files of a directory. Several processes may share it: each writes files of its
// own, and replay takes letters out of them meanwhile.
type directory struct {
	path string

	mu    sync.Mutex
	file  *os.File
	size  int64
	begun time.Time
}

// openDirectory makes the directory if need be and checks that it can be written to.
func openDirectory(path string) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	probe, err := os.CreateTemp(path, ".probe-")
	if err != nil {
		return nil, fmt.Errorf("it cannot be written to: %w", err)
	}
	return &directory{path: path}, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (d *directory) String() string { return "directory " + d.path }

// Bury appends the letters and returns when they are on the disk. After an error the file is cut back to what it held.
func (d *directory) Bury(_ context.Context, letters []pipeline.Letter) error {
	var lines bytes.Buffer
	now := time.Now()
	for i := range letters {
		if err := appendLine(&lines, &letters[i], now); err != nil {
			return fmt.Errorf("encoding a letter: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	unlock, err := d.current()
	if err != nil {
		return err
	}
	defer unlock()
	_, err = d.file.Write(lines.Bytes())
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil {
		return errors.Join(err, d.abandon())
	}
	d.size += int64(lines.Len())
	return nil
}

// current makes sure that there is a file to write to, and locks it: replay, which may be another process, replaces a file
// under the same lock.
func (d *directory) current() (unlock func(), err error) {
	if d.file != nil && d.size <= maxFile && time.Since(d.begun) <= maxAge {
		if err := lock(d.file); err != nil {
			return nil, err
		}
		if d.same() {
			return func() { release(d.file) }, nil
		}
		release(d.file)
	}
	for {
		if err := d.next(); err != nil {
			return nil, err
		}
		if d.same() {
			return func() { release(d.file) }, nil
		}
		release(d.file) // replay took the empty file away before it was locked
	}
}

// same reports whether the open file is still the one of its name, as it was written: a letter in any other would be lost.
func (d *directory) same() bool {
	opened, err := d.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(d.file.Name())
	return err == nil && os.SameFile(opened, named) && opened.Size() == d.size
}

// next begins a new file, locked. Its entry in the directory is on the disk when next returns.
func (d *directory) next() error {
	now := time.Now()
	name := fmt.Sprintf("dead-letters-%s-%s.ndjson", now.UTC().Format(fileTime), rand.Text()[:8])
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(lock(f), syncDirectory(d.path)); err != nil {
		return errors.Join(err, f.Close())
	}
	if d.file != nil {
		_ = d.file.Close() // all of it was synced
	}
	d.file, d.size, d.begun = f, 0, now
	return nil
}

// abandon cuts a file back to its last whole letter and gives it up: a disk that failed once is not trusted with it.
func (d *directory) abandon() error {
	err := errors.Join(d.file.Truncate(d.size), d.file.Close())
	if d.size == 0 {
		err = errors.Join(err, os.Remove(d.file.Name())) // a full disk would gather empty files
	}
	d.file = nil
	return err
}

func syncDirectory(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
