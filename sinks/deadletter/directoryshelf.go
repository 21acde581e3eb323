package deadletter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline"
)

// stackFile is one file of a directory.
type stackFile struct {
	path  string
	until int64       // bytes that were there when it was read
	read  os.FileInfo // the file that was read
}

// Stacks implements Shelf: the names of files begin with the time of their first letter.
func (d *directory) Stacks(_ context.Context, _, until time.Time) iter.Seq2[Stack, error] {
	return func(yield func(Stack, error) bool) {
		files, err := os.ReadDir(d.path)
		if err != nil {
			yield(nil, fmt.Errorf("listing %s: %w", d.path, err))
			return
		}
		latest := "dead-letters-" + until.UTC().Format(fileTime) + "-~"
		for _, f := range files {
			name := f.Name()
			if !strings.HasPrefix(name, "dead-letters-") || !strings.HasSuffix(name, ".ndjson") {
				continue
			}
			if !until.IsZero() && name > latest {
				return
			}
			if !yield(&stackFile{path: filepath.Join(d.path, name)}, nil) {
				return
			}
		}
	}
}

func (s *stackFile) String() string { return s.path }

// Letters implements Stack. What another process is appending at the moment is not seen.
func (s *stackFile) Letters(ctx context.Context) iter.Seq2[*Kept, error] {
	return func(yield func(*Kept, error) bool) {
		f, err := os.Open(s.path)
		if errors.Is(err, os.ErrNotExist) {
			return // another replay has emptied it
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		if s.read, err = f.Stat(); err != nil {
			yield(nil, err)
			return
		}
		lines := bufio.NewReaderSize(io.LimitReader(waiting{ctx, f}, s.read.Size()), 64<<10)
		for {
			line, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return // a last line without an end was never acknowledged: its message came again
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading %s: %w", s.path, err))
				return
			}
			s.until += int64(len(line))
			k, err := parseLetter(line, "")
			if err != nil {
				err = fmt.Errorf("reading %s before byte %d: %w", s.path, s.until, err)
			}
			if !yield(k, err) {
				return
			}
		}
	}
}

// Remove implements Stack: it replaces the file by one of the letters that stay, under the lock that buriers take too.
func (s *stackFile) Remove(_ context.Context, gone func(int) bool) error {
	if s.until == 0 {
		return nil // there was no letter
	}
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return err
	}
	defer release(f)
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(s.path)
	if err != nil || !os.SameFile(s.read, opened) || !os.SameFile(opened, named) {
		return errors.Join(err, fmt.Errorf("%s was changed by another replay: its letters stay, run replay again", s.path))
	}
	return s.replace(f, gone)
}

// replace writes what stays beside the file, and puts it in its place when it is on the disk.
func (s *stackFile) replace(f *os.File, gone func(int) bool) (err error) {
	dir := filepath.Dir(s.path)
	rest, err := os.CreateTemp(dir, ".replay-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(rest.Name()) // nothing was replaced
		}
	}()
	size, err := s.copyRest(rest, f, gone)
	if err == nil {
		err = rest.Sync()
	}
	if err = errors.Join(err, rest.Close()); err != nil {
		return err
	}
	if size == 0 {
		err = errors.Join(os.Remove(rest.Name()), os.Remove(s.path))
	} else {
		err = os.Rename(rest.Name(), s.path)
	}
	if err != nil {
		return err
	}
	return syncDirectory(dir)
}

// copyRest copies the lines that are not gone, and whatever was appended since they were read.
func (s *stackFile) copyRest(dst io.Writer, src io.Reader, gone func(int) bool) (size int64, err error) {
	out := bufio.NewWriter(dst)
	lines := bufio.NewReaderSize(io.LimitReader(src, s.until), 64<<10)
	for i := 0; ; i++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		if gone(i) {
			continue
		}
		size += int64(len(line))
		if _, err := out.Write(line); err != nil {
			return 0, err
		}
	}
	n, err := io.Copy(out, src)
	return size + n, errors.Join(err, out.Flush())
}

// waiting reads a file without the CPU slot of its reader.
type waiting struct {
	ctx context.Context //nolint:containedctx // io.Reader has no other way to know whose slot to lend
	src io.Reader
}

func (w waiting) Read(p []byte) (n int, err error) {
	pipeline.Blocking(w.ctx, func() { n, err = w.src.Read(p) })
	return n, err
}
