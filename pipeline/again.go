package pipeline

import (
	"iter"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Again gives the records of a delivery again.
type Again = iter.Seq[*cloudtrail.Record]

// reread parses the record behind document i again.
func (b *Batch) reread(s *scribe, i int) *cloudtrail.Record {
	if err := s.record.Parse(b.text(s, i)); err != nil {
		return nil // cannot be: the record was parsed when it was read
	}
	d := &b.docs[i]
	s.record.Object, s.record.Number, s.record.Offset = b.objects[d.object], int(d.number), d.offset
	return &s.record
}

// text is the record behind document i, good until s is used again.
func (b *Batch) text(s *scribe, i int) []byte {
	if b.docs[i].rawEnd > 0 {
		return b.Record(i)
	}
	return s.recall(b, i)
}

// savedPage stands for a batch's saved records in place of a page.
const savedPage = 1<<16 - 1

// Save keeps the records of positions i to j-1, where they are not, for a sink that will write those documents again more
// than once: to read all records again for a few of them each time would take long. It does nothing where many batches
// have done so. One goroutine of all that use the batch may call it at a time.
func (b *Batch) Save(i, j int) {
	if b.again == nil {
		return
	}
	s, done := b.borrow()
	defer done()
	for ; i < j; i++ {
		if record := b.text(s, i); b.docs[i].rawEnd == 0 && b.home.save(len(record)) {
			b.save(i, record)
		}
	}
}

// save keeps one record.
func (b *Batch) save(i int, record []byte) {
	d := &b.docs[i]
	d.raw = uint32(len(b.saved))
	b.saved = append(b.saved, record...)
	d.rawEnd, d.rawPage = uint32(len(b.saved)), savedPage
}

// Recall keeps all records, for a sink that wants them: it is called before Record.
func (b *Batch) Recall() {
	if b.again == nil {
		return
	}
	s, done := b.borrow()
	defer done()
	for i := range b.docs {
		if b.docs[i].rawEnd == 0 {
			record := b.text(s, i)
			b.home.saved.Add(int64(len(record)))
			b.save(i, record)
		}
	}
	b.again = nil
}

// Record is the record behind document i, byte for byte as it was read. It is there after Recall.
func (b *Batch) Record(i int) []byte {
	d := &b.docs[i]
	if d.rawPage == savedPage {
		return b.saved[d.raw:d.rawEnd]
	}
	return b.raw.at(d.rawPage, d.raw, d.rawEnd)
}

// keepsFor is how long batches keep their records behind a moment in which some had to be read again: where documents are
// sent again all the time, keeping them takes less.
const keepsFor = 5 * time.Second

// keeps reports whether batches keep their records at the moment.
func (c *chunks) keeps(now time.Time) bool { return now.UnixNano()-c.wanted.Load() < int64(keepsFor) }

// save reports whether so many bytes of a record may be kept beside the budget, in which waiting for more could take for
// ever: a part of it is as much as documents take that are sent again.
func (c *chunks) save(n int) bool {
	if c.saved.Add(int64(n)) <= c.budget.limit/savedShare {
		return true
	}
	c.saved.Add(-int64(n))
	return false
}

// recall is the record behind document i of a batch that does not keep it. It is good until the scribe is used for another
// batch.
func (s *scribe) recall(b *Batch, i int) []byte {
	if s.recalled != b.serial {
		s.recalled = b.serial
		b.home.wanted.Store(time.Now().UnixNano())
		s.reread(b)
	}
	switch {
	case i >= len(s.ends):
		return nil // cannot be: the same bytes hold the same records
	case i == 0:
		return s.raw[:s.ends[0]]
	}
	return s.raw[s.ends[i-1]:s.ends[i]]
}

// reread reads the records of a batch again.
func (s *scribe) reread(b *Batch) {
	s.raw, s.ends = s.raw[:0], s.ends[:0]
	for r := range b.again {
		if int(b.docs[len(s.ends)].number) != r.Number {
			continue // it was filtered, or is another batch's
		}
		s.raw = append(s.raw, r.Raw...)
		if s.ends = append(s.ends, len(s.raw)); len(s.ends) == len(b.docs) {
			return
		}
	}
}
