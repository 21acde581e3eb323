package cloudtrail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow bounds the memory that a zstd frame may ask for.
const maxZstdWindow = 8 << 20

// decompressor reads a file that is gzip, zstd or plain, told apart by its first bytes and never by its name or its
// Content-Encoding: CloudTrail's objects say gzip and are, but what copied them may have unpacked them.
type decompressor struct {
	src     io.Reader
	plain   io.Reader     // gives decompressed bytes; nil before the first read
	checked bool          // the format has a checksum or an end mark, so that its io.EOF proves the file whole
	memory  bytes.Reader  // src, when it is in memory: a copy, so that reset lets go of it
	ahead   *bufio.Reader // of any other src
	head    [4]byte
	gzip    *gzip.Reader
	zstd    *zstd.Decoder
}

// reset makes z read src, and lets go of the last source, which what inflates knows by memory or ahead.
func (z *decompressor) reset(src io.Reader) {
	z.src, z.plain, z.checked = src, nil, false
	z.memory.Reset(nil)
	if z.ahead != nil {
		z.ahead.Reset(nil)
	}
}

// read is io.Reader's Read, but never returns bytes and an error together, nor neither.
func (z *decompressor) read(p []byte) (int, error) {
	if z.plain == nil {
		if err := z.open(); err != nil {
			return 0, err
		}
	}
	for range 100 {
		n, err := z.plain.Read(p)
		if n > 0 {
			return n, nil
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && z.checked {
			return 0, fmt.Errorf("%w: %w", ErrTruncated, err)
		}
		return 0, sourceError(err)
	}
	return 0, io.ErrNoProgress
}

// sourceError wraps what the source or the decompressor said. Only the file's true end is an io.EOF to errors.Is: one
// inside of another error is a transfer that broke off.
func sourceError(err error) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, io.EOF):
		return fmt.Errorf("reading the file: %w: %v", io.ErrUnexpectedEOF, err) //nolint:errorlint // see above
	}
	return fmt.Errorf("reading the file: %w", err)
}

// open looks at the first bytes and chooses how to read the rest.
func (z *decompressor) open() error {
	src, head, err := z.look()
	if err != nil && err != io.EOF {
		return sourceError(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return z.openGzip(src)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return z.openZstd(src)
	}
	z.plain = src
	return nil
}

// look returns the first bytes, and a source that still has them. Of what is in memory it reads a copy, with no buffer in
// between, which inflating is a thirtieth quicker without: the caller's reader stays where it is.
func (z *decompressor) look() (src io.Reader, head []byte, err error) {
	if r, ok := z.src.(*bytes.Reader); ok {
		z.memory = *r
		n, err := r.ReadAt(z.head[:], r.Size()-int64(r.Len()))
		return &z.memory, z.head[:n], err
	}
	if z.ahead == nil {
		z.ahead = bufio.NewReader(nil)
	}
	z.ahead.Reset(z.src)
	head, err = z.ahead.Peek(len(z.head))
	return z.ahead, head, err
}

func (z *decompressor) openGzip(src io.Reader) error {
	z.checked = true
	var err error
	if z.gzip == nil {
		z.gzip, err = gzip.NewReader(src)
	} else {
		err = z.gzip.Reset(src)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: inside the gzip header", ErrTruncated)
	}
	if err != nil {
		return fmt.Errorf("reading the gzip header: %w", err)
	}
	z.plain = z.gzip
	return nil
}

func (z *decompressor) openZstd(src io.Reader) error {
	z.checked = true
	var err error
	if z.zstd == nil {
		z.zstd, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
	} else {
		err = z.zstd.Reset(src)
	}
	if err != nil {
		return fmt.Errorf("reading the zstd header: %w", err)
	}
	z.plain = z.zstd
	return nil
}
