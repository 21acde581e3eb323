package standin

import (
	"container/heap"
	"crypto/md5" //nolint:gosec // SQS's own checksum
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// SQSFault is what a fault hook wants to happen instead of, or before, an answer.
type SQSFault struct {
	Delay  time.Duration // before anything else
	Status int           // answer with this status and Code; 0: answer normally
	Code   string
	// Entry makes each entry of a batch fail with this code; Sender says whose fault it is.
	Entry  string
	Sender bool
	// Every makes only each n-th entry of the batch fail, the first one among them; 0: all.
	Every int
}

// QueueOptions are a queue's attributes.
type QueueOptions struct {
	Visibility time.Duration // default for a receive that names none; 0: 30 s
	MaxReceive int           // receives after which a message goes to DeadLetter; 0: never
	DeadLetter string        // name of another queue
	// MaxInvisible cuts down how long a change of its visibility hides a message, for tests that cannot wait for hours; 0: do not.
	MaxInvisible time.Duration
}

// SQS is a stand-in for Amazon SQS: an http.Handler that speaks its JSON protocol, with long polls, visibility timeouts,
// receive counts, redrive and receipt handles that go stale. Set its hooks before the first request. It is safe for
// concurrent use. Source: Amazon SQS API Reference.
type SQS struct {
	// Fault is called for each request with the operation's name, such as ReceiveMessage; nil or a nil answer: no fault.
	Fault func(op string) *SQSFault
	// Twice makes SQS deliver a message once more although it is in flight; it is called at each receipt.
	Twice func(id string) bool
	// Removed is called for each message that a delete takes out of its queue, before the answer. The service's lock is held.
	Removed func(id string)
	// Received is called for each receipt of a message, with how many there were. The service's lock is held.
	Received func(id string, receives int)
	// Observe is called for each request that is answered, with the operation and how many entries it had.
	Observe func(op string, entries int)

	// NoMoves makes it a service that does not know how to move messages from queue to queue by itself.
	NoMoves bool

	mu     sync.Mutex
	queues map[string]*simQueue
	serial int
	moves  []*move
}

// simQueue is one queue. SQS.mu guards it.
type simQueue struct {
	options QueueOptions
	visible []*simMessage // in order of arrival; a message that was deleted meanwhile is skipped
	flight  flight
	live    map[string]*simMessage // by id, until deleted
	deleted []string
	changed chan struct{} // closed when a message becomes visible
}

type simMessage struct {
	id, body, md5 string
	quoted        []byte // body as a JSON string
	sent, first   time.Time
	receives      int
	until         time.Time // invisible until then
	at            int       // position in the flight heap, -1 when visible
	gone          bool
}

// flight is a heap of messages in flight, the first to become visible on top.
type flight []*simMessage

func (f flight) Len() int           { return len(f) }
func (f flight) Less(i, j int) bool { return f[i].until.Before(f[j].until) }
func (f flight) Swap(i, j int)      { f[i], f[j] = f[j], f[i]; f[i].at, f[j].at = i, j }
func (f *flight) Push(x any)        { m := x.(*simMessage); m.at = len(*f); *f = append(*f, m) } //nolint:forcetypeassert // heap
func (f *flight) Pop() any {
	old := *f
	m := old[len(old)-1]
	*f = old[:len(old)-1]
	m.at = -1
	return m
}

// NewSQS returns a service without queues.
func NewSQS() *SQS { return &SQS{queues: map[string]*simQueue{}} }

// AddQueue makes a queue and returns the path of its URL; the server's own address goes in front.
func (s *SQS) AddQueue(name string, o QueueOptions) string {
	if o.Visibility == 0 {
		o.Visibility = 30 * time.Second
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[name] = &simQueue{options: o, live: map[string]*simMessage{}, changed: make(chan struct{})}
	return "/111122223333/" + name
}

// Send puts a message into a queue and returns its id.
func (s *SQS) Send(queue, body string) string {
	return s.SendNoted(queue, body, func(string) {})
}

// SendNoted is Send that tells the id to note before anybody can receive the message. The service's lock is held then.
func (s *SQS) SendNoted(queue, body string, note func(id string)) string {
	quoted, err := json.Marshal(body)
	if err != nil {
		panic(err) // a string always can be
	}
	sum := md5.Sum([]byte(body)) //nolint:gosec // SQS's own checksum
	m := &simMessage{body: body, quoted: quoted, md5: hex.EncodeToString(sum[:]), sent: time.Now(), at: -1}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	m.id = "message-" + strconv.Itoa(s.serial)
	note(m.id)
	s.queues[queue].put(m)
	return m.id
}

// Depth is how many messages of a queue are visible and how many are in flight.
func (s *SQS) Depth(queue string) (visible, inFlight int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[queue]
	q.wake(time.Now())
	return len(q.live) - len(q.flight), len(q.flight)
}

// Deleted are the ids of the messages that were deleted from a queue, in that order.
func (s *SQS) Deleted(queue string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.queues[queue].deleted...)
}

// Receives is how often the message has been received, 0 when it is not in the queue.
func (s *SQS) Receives(queue, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.queues[queue].live[id]; m != nil {
		return m.receives
	}
	return 0
}

// VisibleIn is how long it is until the message can be received, 0 when it can be or is not in the queue.
func (s *SQS) VisibleIn(queue, id string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.queues[queue].live[id]; m != nil && m.at >= 0 {
		return max(0, time.Until(m.until))
	}
	return 0
}

func (q *simQueue) put(m *simMessage) {
	q.live[m.id] = m
	q.show(m)
}

func (q *simQueue) show(m *simMessage) {
	q.visible = append(q.visible, m)
	close(q.changed)
	q.changed = make(chan struct{})
}

// wake makes messages visible whose time has come.
func (q *simQueue) wake(now time.Time) {
	for len(q.flight) > 0 && !q.flight[0].until.After(now) {
		q.show(heap.Pop(&q.flight).(*simMessage)) //nolint:forcetypeassert // heap
	}
}

// hide makes m invisible for the timeout; none makes it visible at once.
func (q *simQueue) hide(m *simMessage, timeout time.Duration) {
	m.until = time.Now().Add(timeout)
	switch {
	case m.at < 0:
		heap.Push(&q.flight, m)
	default:
		heap.Fix(&q.flight, m.at)
	}
	q.wake(time.Now())
	if timeout > 0 && q.flight[0] == m {
		close(q.changed) // long polls must wait for this one now
		q.changed = make(chan struct{})
	}
}

func (q *simQueue) remove(m *simMessage) {
	m.gone = true
	delete(q.live, m.id)
	if m.at >= 0 {
		heap.Remove(&q.flight, m.at)
	}
}
