package standin

import (
	"bytes"
	"hash/maphash"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// bulkScratch is the memory of one bulk request.
type bulkScratch struct {
	gunzip gzip.Reader
	body   bytes.Buffer
	out    []byte
}

func (c *Cluster) bulk(w http.ResponseWriter, r *http.Request, f ClusterFault) {
	s, ok := c.scratch.Get().(*bulkScratch)
	if !ok {
		s = new(bulkScratch)
	}
	defer c.scratch.Put(s)
	s.body.Reset()
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		if err := s.gunzip.Reset(r.Body); err != nil {
			c.fail(w, http.StatusBadRequest, "")
			return
		}
		in = &s.gunzip
	}
	if _, err := s.body.ReadFrom(in); err != nil {
		c.fail(w, http.StatusBadRequest, "")
		return
	}
	if c.MaxBytes > 0 && s.body.Len() > c.MaxBytes {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if b := s.body.Bytes(); len(b) == 0 || b[len(b)-1] != '\n' {
		refuse(w, http.StatusBadRequest, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
		return
	}
	s.out = c.store(s.out[:0], s.body.Bytes(), f)
	switch {
	case f.Lose:
		panic(http.ErrAbortHandler)
	case f.CutAnswer:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.out[:len(s.out)/2])
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.out)))
	_, _ = w.Write(s.out)
}

// store stores the documents of a request and appends the answer to out.
func (c *Cluster) store(out, body []byte, f ClusterFault) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Requests++
	c.stats.Largest = max(c.stats.Largest, len(body))
	out = append(out, `{"errors":false,"took":1,"items":[`...)
	for first := true; len(body) > 0; {
		var action, doc []byte
		action, body = line(body)
		deletes := bytes.HasPrefix(action, []byte(`{"delete":`))
		if !deletes {
			doc, body = line(body)
		}
		index, id := field(action, `"_index":"`), field(action, `"_id":"`)
		before := len(out)
		if !first {
			out = append(out, ',')
		}
		if deletes {
			out = c.remove(out, target{index, id})
		} else {
			out = c.item(out, target{index, id}, doc, f.arrived)
		}
		if f.DropItem {
			out, f.DropItem = out[:before], false
			continue
		}
		first = false
	}
	return append(out, `]}`...)
}

func line(body []byte) (first, rest []byte) {
	before, after, ok := bytes.Cut(body, []byte{'\n'})
	if !ok {
		return body, nil
	}
	return before, after
}

// field cuts the string behind a key out of an action line.
func field(action []byte, key string) []byte {
	_, rest, ok := bytes.Cut(action, []byte(key))
	if !ok {
		return nil
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i]
		}
	}
	return nil
}

// target is what an action line names.
type target struct{ index, id []byte }

// item stores one document and appends its item of the answer.
func (c *Cluster) item(out []byte, to target, doc []byte, arrived time.Time) []byte {
	index, id := to.index, to.id
	if c.Item != nil {
		if f := c.Item(string(index), id, doc); f != nil {
			c.stats.Refused++
			return appendItem(out, index, f.Status, f.Type, f.Reason)
		}
	}
	ix := c.indices[string(index)]
	if ix == nil {
		if f := c.refuseIndex(string(index)); f != nil {
			c.stats.Refused++
			return appendItem(out, index, f.Status, f.Type, f.Reason)
		}
		ix = c.makeIndex(string(index), true)
		ix.stream = c.BuiltinLogs && c.logsStream(string(index))
	}
	if ix.stream {
		index = ix.backing(string(index))
	}
	if !c.put(ix, index, id, doc) {
		c.stats.Duplicates++
		return appendItem(out, index, http.StatusConflict, "version_conflict_engine_exception",
			"["+string(id)+"]: version conflict, document already exists (current version [1])")
	}
	c.stats.Stored++
	ix.count++
	if c.Stored != nil {
		c.Stored(string(index), doc, arrived)
	}
	return appendItem(out, index, http.StatusCreated, "", "")
}

// put reports whether the document was not there yet.
func (c *Cluster) put(ix *clusterIndex, index, id, doc []byte) bool {
	if c.Counting {
		var h maphash.Hash
		h.SetSeed(c.seed)
		_, _ = h.Write(index)
		_ = h.WriteByte(0)
		_, _ = h.Write(id)
		return c.hashes.add(h.Sum64())
	}
	if _, ok := ix.docs[string(id)]; ok {
		return false
	}
	ix.docs[string(id)] = bytes.Clone(doc)
	return true
}

func appendItem(out, index []byte, status int, kind, reason string) []byte {
	out = append(out, `{"create":{"_index":"`...)
	out = append(out, index...)
	out = append(out, `","status":`...)
	out = strconv.AppendInt(out, int64(status), 10)
	if kind != "" {
		out = append(out, `,"error":{"type":`...)
		out = strconv.AppendQuote(out, kind)
		out = append(out, `,"reason":`...)
		out = strconv.AppendQuote(out, reason)
		out = append(out, '}')
	}
	return append(out, `}}`...)
}

// hashSet is a set of 64-bit numbers with open addressing: 16 MiB for a million.
type hashSet struct {
	slots []uint64
	used  int
}

// add reports whether h was not in the set. 0 stands for an empty slot.
func (s *hashSet) add(h uint64) bool {
	if h == 0 {
		h = 1
	}
	if s.used*10 >= len(s.slots)*7 {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			s.used++
			return true
		}
	}
}

func (s *hashSet) grow() {
	old := s.slots
	s.slots, s.used = make([]uint64, max(1<<16, 2*len(old))), 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}
