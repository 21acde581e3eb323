// Package ndjson is a sink that writes one document a line, to standard output or to a file: to try things out, and to
// feed what reads lines.
package ndjson

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
)

// Config is the section sinks.ndjson.
type Config struct {
	Path string `yaml:"path"` // "-": standard output
}

// Validate returns a *value.Problem or nil.
func (c Config) Validate() error {
	if c.Path == "" {
		return value.Wrong("path", "write the path of a file to append to, or \"-\" for standard output")
	}
	return nil
}

// Sink appends documents to a file. A write that comes again is appended again: the file knows no ids. It is safe for
// concurrent use.
type Sink struct {
	mu   sync.Mutex
	file *os.File
	sync bool // the file keeps what it is told to; a pipe or a terminal cannot
	buf  []byte
}

var _ pipeline.Sink = (*Sink)(nil)

// Open opens the file, making it if need be, readable by its owner alone.
func Open(c Config) (*Sink, error) {
	if c.Path == "-" {
		return &Sink{file: os.Stdout}, nil
	}
	f, err := os.OpenFile(c.Path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the documents' file: %w", err)
	}
	s := &Sink{file: f}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		s.sync = true
		err = endLine(f, info.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("opening the documents' file: %w", err)
	}
	return s, nil
}

// endLine ends the last line of a file whose writer was killed in the middle of it, so that the next document stands alone.
func endLine(f *os.File, size int64) error {
	last := make([]byte, 1)
	if size == 0 {
		return nil
	}
	if _, err := f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err := f.WriteString("\n")
	return err
}

// Write implements pipeline.Sink. Documents in a regular file are on the disk when it returns.
func (s *Sink) Write(ctx context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	fates := make([]pipeline.Fate, b.Len())
	if err := ctx.Err(); err != nil {
		return fates, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Stamp(0, b.Len(), time.Now())
	s.buf = s.buf[:0]
	for i := range b.Len() {
		s.buf = append(append(s.buf, b.Document(i)...), '\n')
	}
	if err := s.keep(); err != nil {
		return fates, fmt.Errorf("writing %d documents: %w", b.Len(), err)
	}
	for i := range fates {
		fates[i].Outcome = pipeline.Indexed
	}
	return fates, nil
}

func (s *Sink) keep() error {
	n, err := s.file.Write(s.buf)
	if err == nil && n < len(s.buf) {
		err = io.ErrShortWrite
	}
	if err == nil && s.sync {
		err = s.file.Sync()
	}
	return err
}

// Close closes the file.
func (s *Sink) Close() error {
	if s.file == os.Stdout {
		return nil
	}
	return s.file.Close()
}
