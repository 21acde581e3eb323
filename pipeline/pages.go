package pipeline

import "sync"

// pageSize holds some ten documents: what a batch does not use of its last page is little.
const pageSize = 16 << 10

// pages keeps pages of memory for reuse. Unlike a sync.Pool it is not emptied by the collector: under a memory limit that
// runs several times a second. It is safe for concurrent use; a nil one keeps nothing.
type pages struct {
	most int // idle ones that are kept

	mu   sync.Mutex
	idle [][]byte
}

// take returns an empty page.
func (p *pages) take() []byte {
	if p == nil {
		return make([]byte, 0, pageSize)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return make([]byte, 0, pageSize)
	}
	page := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return page[:0]
}

// give takes a page back.
func (p *pages) give(page []byte) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < p.most {
		p.idle = append(p.idle, page)
	}
}

// text is a sequence of pieces in pages. No piece is cut by a page's end; one that is larger has a page of its own.
type text struct {
	pages []page
	size  int
}

// page is a part of a text that begins at start of it.
type page struct {
	start uint32
	bytes []byte
}

// add appends a piece and returns the number of its page.
func (t *text) add(from *pages, piece []byte) (number uint16) {
	last := len(t.pages) - 1
	if last < 0 || len(piece) > cap(t.pages[last].bytes)-len(t.pages[last].bytes) {
		fresh := page{start: uint32(t.size)}
		if len(piece) <= pageSize {
			fresh.bytes = from.take()
		}
		t.pages = append(t.pages, fresh)
		last++
	}
	t.pages[last].bytes = append(t.pages[last].bytes, piece...)
	t.size += len(piece)
	return uint16(last)
}

// at is what stands at from to to-1 of the text, all of it in one page.
func (t *text) at(number uint16, from, to uint32) []byte {
	p := &t.pages[number]
	return p.bytes[from-p.start : to-p.start]
}

// held is the number of bytes of its pages.
func (t *text) held() (n int64) {
	for i := range t.pages {
		n += int64(cap(t.pages[i].bytes))
	}
	return n
}

// drop gives all pages back.
func (t *text) drop(to *pages) {
	for i := range t.pages {
		if p := &t.pages[i]; cap(p.bytes) == pageSize {
			to.give(p.bytes)
		}
	}
	clear(t.pages)
	t.pages, t.size = t.pages[:0], 0
}
