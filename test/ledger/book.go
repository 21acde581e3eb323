package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// deadLetters is the name of the index, and of the bucket, that dead letters go to.
const deadLetters = "trailship-dead-letters"

// A book knows every event that was ever announced and what became of it. It is safe for concurrent use.
type book struct {
	index func(day time.Time) string // name of the index of a day

	mu       sync.Mutex
	began    time.Time
	events   []event
	objects  map[string]*object // by bucket/key
	messages map[string]*entry  // by id, until deleted
	refused  func(serial int) bool
	gone     map[*object]bool // not to be had, for good
	sum      sums
	late     *lateness // of things on this machine
	stepped  bool      // the daemon's clock is not ours
	files    func()    // notes the dead letters that are kept in files; nil: there are none
}

// event is what is known of one event.
type event struct {
	object    *object
	stored    uint8
	lettered  bool
	notBefore time.Time // a Retry-After stands until then
}

// entry is one message.
type entry struct {
	objects []*object
	keep    bool // it must not be deleted at all
	ordered int  // receipts that the stand-in caused
}

// sums are what the book adds up.
type sums struct {
	Events       int `json:"events"`
	Messages     int `json:"messages"`
	Stored       int `json:"stored"`
	Letters      int `json:"letters"`       // events that a dead letter stands for
	Doubled      int `json:"doubled"`       // documents that are there a second time
	DeletedEarly int `json:"deleted_early"` // messages
	Misplaced    int `json:"misplaced"`     // documents in another index than their day's
	Stale        int `json:"stale"`         // documents whose event.ingested is more than a second older than their acceptance
	Needless     int `json:"needless"`      // dead letters of events that nothing was wrong with
	TooSoon      int `json:"too_soon"`      // documents sent again before their Retry-After
	Receives     int `json:"receives"`
	Redelivered  int `json:"redelivered"` // receipts behind the first that the stand-in did not order
	Left         int `json:"left"`        // messages that are not deleted and should be
	Open         int `json:"open"`        // events that are neither stored nor dead letters
	Lost         int `json:"lost"`        // those of them that a message has brought and none will bring again
	// Late is how late a timer was at worst.
	Late time.Duration `json:"late"`
	// Open events by bucket.
	Pending map[string]int `json:"pending"`
	// Stored events for each second since the beginning, by bucket; and when the last one was stored, by index.
	Rates map[string][]int   `json:"rates"`
	Last  map[string]float64 `json:"last"`
}

func newBook(index func(time.Time) string, refused func(int) bool) *book {
	return &book{
		late:  &lateness{},
		index: index, objects: map[string]*object{}, messages: map[string]*entry{}, gone: map[*object]bool{}, refused: refused,
		sum: sums{Rates: map[string][]int{}, Last: map[string]float64{}},
	}
}

// begin sets when the first message is announced.
func (b *book) begin(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.began = now
}

// announce enters an object before anybody can read it. lacking says that it is gone for good.
func (b *book) announce(o *object, lacking bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if lacking {
		b.gone[o] = true
	}
	b.objects[o.bucket+"/"+o.key] = o
	for len(b.events) < o.from+o.count {
		b.events = append(b.events, event{})
	}
	for i := range o.count {
		b.events[o.from+i].object = o
	}
	b.sum.Events += o.count
}

// send enters a message before it can be received.
func (b *book) send(id string, e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages[id] = e
	for _, o := range e.objects {
		o.sent = true
	}
	b.sum.Messages++
	if !e.keep {
		b.sum.Left++
	}
}

// store notes a document that the cluster has stored. arrived is when its request came.
func (b *book) store(index string, doc []byte, arrived time.Time) {
	if index == deadLetters {
		b.letter(doc)
		return
	}
	serial := serialIn(doc)
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial < 0 || serial >= len(b.events) || b.events[serial].object == nil {
		b.sum.Misplaced++ // an event that nobody announced
		return
	}
	e := &b.events[serial]
	e.stored++
	if e.stored > 1 {
		b.sum.Doubled++
		return
	}
	b.sum.Stored++
	if index != b.index(e.object.dayOf(serial)) {
		b.sum.Misplaced++
	}
	if !b.stepped && ingested(doc).Before(arrived.Add(-time.Second-b.late.request())) {
		b.sum.Stale++
	}
	if now.Before(e.notBefore) {
		b.sum.TooSoon++
	}
	b.rate(e.object.bucket, index, now)
}

func (b *book) rate(bucket, index string, now time.Time) {
	since := now.Sub(b.began)
	second := max(0, int(since/time.Second))
	rates := b.sum.Rates[bucket]
	for len(rates) <= second {
		rates = append(rates, 0)
	}
	rates[second]++
	b.sum.Rates[bucket] = rates
	b.sum.Last[index] = since.Seconds()
}

// letter notes a dead letter: of one record, or of a whole object.
func (b *book) letter(doc []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial := serialIn(doc); serial >= 0 && serial < len(b.events) {
		b.bury(serial, b.refused(serial))
		return
	}
	var whole struct{ Bucket, Key string }
	if json.Unmarshal(doc, &whole) != nil {
		return
	}
	if o := b.objects[whole.Bucket+"/"+whole.Key]; o != nil {
		for i := range o.count {
			b.bury(o.from+i, b.gone[o])
		}
	}
}

func (b *book) bury(serial int, deserved bool) {
	e := &b.events[serial]
	if e.lettered {
		return
	}
	e.lettered = true
	b.sum.Letters++
	if !deserved {
		b.sum.Needless++
	}
}

// removed notes that a message was deleted, and looks whether it could be: whether each of its events had ended.
func (b *book) removed(id string) {
	b.look()
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[id]
	if m == nil {
		return
	}
	delete(b.messages, id)
	early := m.keep
	for _, o := range m.objects {
		for i := range o.count {
			e := &b.events[o.from+i]
			early = early || e.stored == 0 && !e.lettered
		}
	}
	if early {
		b.sum.DeletedEarly++
	}
	if !m.keep {
		b.sum.Left--
	}
}

// readFrom makes look read the dead letters that are kept in files.
func (b *book) readFrom(files func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files = files
}

func (b *book) look() {
	b.mu.Lock()
	files := b.files
	b.mu.Unlock()
	if files != nil {
		files()
	}
}

// received notes a receipt of a message, the n-th.
func (b *book) received(id string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.Receives++
	m := b.messages[id]
	switch {
	case m == nil || m.keep || n < 2:
	case m.ordered > 0:
		m.ordered--
	default:
		b.sum.Redelivered++
	}
}

// order notes that a message will be received once more by the stand-in's own will.
func (b *book) order(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.messages[id]; m != nil {
		m.ordered++
	}
}

// snapshot is a copy of the sums.
func (b *book) snapshot() sums {
	b.look()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sum
	s.Late = b.late.most()
	s.Last = maps.Clone(s.Last)
	s.Rates = map[string][]int{}
	for bucket, rates := range b.sum.Rates {
		s.Rates[bucket] = slices.Clone(rates)
	}
	s.Pending = map[string]int{}
	coming := map[*object]bool{}
	for _, m := range b.messages {
		for _, o := range m.objects {
			coming[o] = true
		}
	}
	for i := range b.events {
		e := &b.events[i]
		if e.object == nil || e.stored > 0 || e.lettered {
			continue
		}
		s.Open++
		s.Pending[e.object.bucket]++
		if e.object.sent && !coming[e.object] {
			s.Lost++
		}
	}
	return s
}

// openBeside is how many events are open that do not belong into the index.
func (b *book) openBeside(index string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.events {
		e := &b.events[i]
		if e.object != nil && e.stored == 0 && !e.lettered && b.index(e.object.dayOf(i)) != index {
			n++
		}
	}
	return n
}

// dayOf is the day whose index an event belongs into, the zero time for an event that nobody announced.
func (b *book) dayOf(serial int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial < 0 || serial >= len(b.events) || b.events[serial].object == nil {
		return time.Time{}
	}
	return b.events[serial].object.dayOf(serial)
}

// wait notes that an event was answered with Retry-After.
func (b *book) wait(serial int, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial >= 0 && serial < len(b.events) {
		b.events[serial].notBefore = until
	}
}

// ingested is the document's event.ingested, zero when it has none.
func ingested(doc []byte) time.Time {
	const before = `"ingested":"`
	_, rest, _ := bytes.Cut(doc, []byte(before))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	at, err := time.Parse(time.RFC3339Nano, string(value))
	if err != nil {
		return time.Time{}
	}
	return at
}
