package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// When a bucket counts as sick, and how it is tried again.
const (
	suspectAfter = 3                // failures in a row from which a bucket is held to its share
	refusedFor   = 2 * time.Second  // what S3 refuses opens the breaker when it lasted this long
	passingFor   = 30 * time.Second // so do faults that often pass
	firstProbe   = 15 * time.Second // between two tries of an open bucket, doubled up to lastProbe
	lastProbe    = 5 * time.Minute
	maxSick      = 1024 // buckets that are watched at a time: a forged notice may name any
)

// breakers keep the buckets of one queue apart: messages of a bucket that cannot be read are put off without asking S3, but
// for one try now and then, and a bucket that fails has no more than its share of what is in flight. A bucket that works has
// no share, so that the only bucket of a deployment may have it all. The zero share is no limit. It is safe for concurrent
// use.
type breakers struct {
	queue   string
	share   int
	log     *zap.Logger
	metrics *Metrics

	mu   sync.Mutex
	sick map[string]*sickness // by bucket: those whose last read failed
	held map[string]int       // by bucket: deliveries in hand
}

// sickness is a row of failures of one bucket without a success between them. breakers.mu guards it.
type sickness struct {
	failures int
	began    time.Time
	last     error
	open     bool
	next     time.Time     // when an open bucket may be tried again
	pause    time.Duration // between that try and the next one
	probing  bool
}

func newBreakers(queue string, inFlight int, log *zap.Logger, m *Metrics) *breakers {
	b := &breakers{queue: queue, log: log, metrics: m, sick: map[string]*sickness{}, held: map[string]int{}}
	if inFlight > 0 {
		b.share = max(1, inFlight/4)
	}
	return b
}

// bucketClosed is the error of a message that is put off because its bucket cannot be read at the moment.
type bucketClosed struct {
	bucket string
	last   error // the failure that says so
}

func (e *bucketClosed) Error() string {
	return fmt.Sprintf("bucket %s cannot be read at the moment: %v", e.bucket, e.last)
}

func (e *bucketClosed) Unwrap() error { return e.last }

// errShare is why a message of a failing bucket waits in the queue.
var errShare = errors.New("its bucket fails and has its share of messages in hand")

// admit takes a message of the bucket into what is in hand, until leave. The error is why it must be put off.
func (b *breakers) admit(bucket string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sick[bucket]; s != nil {
		if s.closed(time.Now()) {
			return &bucketClosed{bucket, s.last}
		}
		if b.share > 0 && s.failures >= suspectAfter && b.held[bucket] >= b.share {
			return errShare
		}
	}
	b.held[bucket]++
	return nil
}

// leave ends what admit began.
func (b *breakers) leave(bucket string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[bucket]--; b.held[bucket] <= 0 {
		delete(b.held, bucket)
	}
}

// closed reports whether S3 is not to be asked now.
func (s *sickness) closed(now time.Time) bool { return s.open && (s.probing || now.Before(s.next)) }

// visit is one reading of an object of a bucket.
type visit struct {
	*breakers
	bucket string
	probe  bool // of an open bucket
}

// enter begins a reading. The error is why there must be none now.
func (b *breakers) enter(bucket string) (*visit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sick[bucket]
	if s == nil || !s.open {
		return &visit{b, bucket, false}, nil
	}
	if s.closed(time.Now()) {
		return nil, &bucketClosed{bucket, s.last}
	}
	s.probing = true
	return &visit{b, bucket, true}, nil
}

// failing reports whether the bucket's last reading failed.
func (v *visit) failing() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sick[v.bucket] != nil
}

// worked says that S3 gave the object, or said that there is none: the bucket is well.
func (v *visit) worked() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.probe = false
	s := v.sick[v.bucket]
	if s == nil {
		return
	}
	delete(v.sick, v.bucket)
	if s.open {
		v.metrics.closed.DeleteLabelValues(v.queue, v.bucket)
		v.log.Info("bucket can be read again", zap.String("bucket", v.bucket), zap.Duration("after", time.Since(s.began)))
	}
}

// failed says why the object could not be read, and reports whether the bucket's messages are put off now.
func (v *visit) failed(err error) (closed bool) {
	kind := faultOf(err)
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	s := v.sick[v.bucket]
	if kind == faultOurs {
		return s != nil && s.open
	}
	if s == nil {
		if s = v.watch(now); s == nil {
			return false
		}
	}
	s.failures++
	s.last = err
	switch lasted := now.Sub(s.began); {
	case v.probe:
		v.probe, s.probing = false, false
		s.pause = min(2*s.pause, lastProbe)
		s.next = now.Add(s.pause)
	case s.open || s.failures < suspectAfter:
	case kind == faultRefused && lasted >= refusedFor, lasted >= passingFor:
		s.open, s.pause, s.next = true, firstProbe, now.Add(firstProbe)
		v.metrics.closed.WithLabelValues(v.queue, v.bucket).Set(1)
		v.log.Error("bucket cannot be read, its messages are put off", zap.String("bucket", v.bucket),
			zap.Int("failures", s.failures), zap.String("cure", cureS3(err)), zap.Error(err))
	}
	return s.open
}

// watch begins to watch the bucket, nil when too many are. The lock is held.
func (v *visit) watch(now time.Time) *sickness {
	if len(v.sick) >= maxSick {
		for name, s := range v.sick {
			if !s.open {
				delete(v.sick, name)
			}
		}
	}
	if len(v.sick) >= maxSick {
		return nil
	}
	s := &sickness{began: now}
	v.sick[v.bucket] = s
	return s
}

// end ends a reading; without a verdict another one may try.
func (v *visit) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.sick[v.bucket]; v.probe && s != nil {
		s.probing = false
	}
}

// A SickBucket is a bucket whose messages are put off, or that failed last, as /status shows it.
type SickBucket struct {
	Queue    string     `json:"queue"`
	Bucket   string     `json:"bucket"`
	State    string     `json:"state"` // failing, open (nothing is read) or half_open (one read tries whether it works again)
	Failures int        `json:"failures"`
	Since    time.Time  `json:"since"`
	Next     *time.Time `json:"next_try,omitempty"`
	Held     int        `json:"messages_in_hand"`
	Problem  string     `json:"problem"`
	Cure     string     `json:"cure,omitempty"`
}

// list is every bucket that fails, by name.
func (b *breakers) list() []SickBucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]SickBucket, 0, len(b.sick))
	for name, s := range b.sick {
		one := SickBucket{
			Queue: b.queue, Bucket: name, State: "failing", Failures: s.failures, Since: s.began.UTC(), Held: b.held[name],
			Problem: s.last.Error(), Cure: cureS3(s.last),
		}
		if s.open {
			next := s.next.UTC()
			one.State, one.Next = "open", &next
		}
		if s.probing {
			one.State, one.Next = "half_open", nil
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(x, y SickBucket) int { return cmp.Compare(x.Bucket, y.Bucket) })
	return all
}
