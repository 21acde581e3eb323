package source

import "sync"

// buffers keeps byte slices for reuse, in sizes a quarter to a fifth apart from 4 KiB to a little over 8 MiB, so that a
// buffer is at most a quarter larger than what it holds. It is safe for concurrent use.
type buffers struct {
	pools [bufferSizes]sync.Pool
}

const bufferSizes = 46

// bufferSize is the size of the c-th kind: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20 … KiB.
func bufferSize(c int) int { return (4 + c%4) << (10 + c/4) }

// take returns a buffer of n bytes.
func (b *buffers) take(n int) *[]byte {
	c := 0
	for c < bufferSizes && bufferSize(c) < n {
		c++
	}
	if c == bufferSizes {
		p := make([]byte, n)
		return &p
	}
	p, ok := b.pools[c].Get().(*[]byte)
	if !ok {
		fresh := make([]byte, bufferSize(c))
		p = &fresh
	}
	*p = (*p)[:n]
	return p
}

// give takes a buffer back.
func (b *buffers) give(p *[]byte) {
	*p = (*p)[:cap(*p)]
	for c := range bufferSizes {
		if bufferSize(c) == len(*p) {
			b.pools[c].Put(p)
			return
		}
	}
}
