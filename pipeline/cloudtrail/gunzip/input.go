package gunzip

import (
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	inputSize = 16 << 10
	givenBack = 8 // bytes that align may give back
)

// input is a file as it comes from its source: bytes, and the bits taken from them.
type input struct {
	src    io.Reader
	srcErr error
	offset int64 // where buf begins in the file

	buf          [inputSize]byte
	next, filled int    // buf[next:filled] is still to be taken
	bits         uint64 // what was taken, the next bit lowest; above count of them either zeros or what buf[next] begins with
	count        uint
	sum          uint32 // CRC-32 of what byte has read since this was zero
}

// from makes src the source.
func (s *input) from(src io.Reader) {
	s.src, s.srcErr, s.offset = src, nil, 0
	s.next, s.filled, s.bits, s.count = 0, 0, 0, 0
}

// fill reads more of the source. It returns io.ErrUnexpectedEOF where there is no more.
func (s *input) fill() error {
	if s.srcErr != nil {
		return s.srcErr
	}
	from := max(s.next-givenBack, 0)
	copy(s.buf[:], s.buf[from:s.filled])
	s.next, s.filled, s.offset = s.next-from, s.filled-from, s.offset+int64(from)
	for range 100 {
		n, err := s.src.Read(s.buf[s.filled:])
		s.filled += n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		s.srcErr = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// atEnd reports whether the source has given everything, and all of it was taken.
func (s *input) atEnd() bool { return s.next == s.filled && s.fill() == io.ErrUnexpectedEOF }

// need takes bytes until there are n bits, 56 at most.
func (s *input) need(n uint) error {
	for s.count < n {
		if s.next == s.filled {
			if err := s.fill(); err != nil {
				return err
			}
		}
		s.bits |= uint64(s.buf[s.next]) << s.count
		s.next++
		s.count += 8
	}
	return nil
}

// drop forgets n bits.
func (s *input) drop(n uint) { s.bits, s.count = s.bits>>n, s.count-n }

// take reads a number of n bits, 16 at most.
func (s *input) take(n uint) (int, error) {
	if err := s.need(n); err != nil {
		return 0, err
	}
	v := s.bits & (1<<n - 1)
	s.drop(n)
	return int(v), nil
}

// align skips to the next whole byte and gives the bytes behind it back.
func (s *input) align() {
	s.next -= int(s.count / 8)
	s.bits, s.count = 0, 0
}

// byte reads a byte; no bits are held.
func (s *input) byte() (byte, error) {
	if s.next == s.filled {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	s.next++
	s.sum = crc32.Update(s.sum, crc32.IEEETable, s.buf[s.next-1:s.next])
	return s.buf[s.next-1], nil
}

// number reads an unsigned number of n bytes, four at most; no bits are held.
func (s *input) number(n int) (uint32, error) {
	var b [4]byte
	for i := range b[:n] {
		c, err := s.byte()
		if err != nil {
			return 0, err
		}
		b[i] = c
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// corrupt is the error for what deflate does not allow.
func (s *input) corrupt() error { return flate.CorruptInputError(s.offset + int64(s.next)) }
