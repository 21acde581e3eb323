package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// file is the delivery of one local file.
type file struct {
	source *Directory
	path   string
	size   int64
	tries  int
}

// String is the file's path.
func (f *file) String() string { return f.path }

// Size implements pipeline.Sized: the file is streamed, so only its size class matters.
func (f *file) Size() int64 { return min(f.size, streamAhead) }

// Records implements pipeline.Delivery. A file that is no CloudTrail file is left out with a warning: a folder may hold
// others.
func (f *file) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		src, err := os.Open(f.path)
		if err != nil {
			yield(nil, fmt.Errorf("opening the file: %w", err))
			return
		}
		defer src.Close()
		object := &cloudtrail.Object{Key: f.path, Read: time.Now(), KeyInfo: cloudtrail.ParseKey(filepath.ToSlash(f.path))}
		reader := cloudtrail.NewReader()
		reader.Reset(unslotted{ctx, src}, object)
		for {
			record, err := reader.Next()
			var refused *cloudtrail.Refused
			switch {
			case err == nil || errors.As(err, &refused):
				if !yield(record, err) {
					return
				}
				continue
			case errors.Is(err, io.EOF):
			case errors.Is(err, cloudtrail.ErrNotLog):
				f.source.log.Warn("left out a file that is no CloudTrail file", zap.String("file", f.path))
			default:
				yield(nil, f.lost(object, err))
			}
			return
		}
	}
}

// lost is the error of a file that cannot be read to its end: one dead letter when the file is at fault, a failure when the
// disk is.
func (f *file) lost(object *cloudtrail.Object, err error) error {
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("reading %s: %w", f.path, err)
	}
	return &pipeline.LostObject{Object: object, Reason: lostReason(&unreadable{err}), Err: err}
}

// Settle implements pipeline.Delivery.
func (f *file) Settle(_ context.Context, outcome error) error {
	f.source.settled(f, outcome)
	return nil
}

// unslotted reads from a disk without the CPU slot of its reader.
type unslotted struct {
	ctx context.Context //nolint:containedctx // io.Reader has no other way to know whose slot to lend
	src io.Reader
}

func (u unslotted) Read(p []byte) (n int, err error) {
	pipeline.Blocking(u.ctx, func() { n, err = u.src.Read(p) })
	return n, err
}
