package deadletter

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trailship/trailship/pipeline"
)

// maxFile is the size from which letters go to a new file.
const maxFile = 64 << 20

// directory keeps letters as JSON lines in files of a directory. Several processes may share it: each writes files of its
// own.
type directory struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
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
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	now := time.Now()
	for i := range letters {
		e := newEntry(&letters[i], now)
		e.ID = letters[i].ID
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil || d.size > maxFile {
		if err := d.next(); err != nil {
			return err
		}
	}
	_, err := d.file.Write(lines.Bytes())
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil {
		return errors.Join(err, d.abandon())
	}
	d.size += int64(lines.Len())
	return nil
}

// next begins a new file. Its entry in the directory is on the disk when next returns.
func (d *directory) next() error {
	name := fmt.Sprintf("dead-letters-%s-%s.ndjson", time.Now().UTC().Format("20060102T150405Z"), rand.Text()[:8])
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := syncDirectory(d.path); err != nil {
		return errors.Join(err, f.Close())
	}
	if d.file != nil {
		_ = d.file.Close() // all of it was synced
	}
	d.file, d.size = f, 0
	return nil
}

// abandon cuts a file back to its last whole letter and gives it up: a disk that failed once is not trusted with it.
func (d *directory) abandon() error {
	err := errors.Join(d.file.Truncate(d.size), d.file.Close())
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
