// Package pipelinetest has a source, a sink and a place for dead letters in memory, for tests of pipelines and of what
// plugs into one.
package pipelinetest

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Source hands out the deliveries it is given, in order, then says io.EOF, or waits when Endless. A delivery that is
// settled with an error comes again at once, up to Tries times.
type Source struct {
	Endless bool
	Tries   int

	mu      sync.Mutex
	waiting []*Delivery
	open    int
	changed chan struct{}
}

// Add puts deliveries into the source.
func (s *Source) Add(deliveries ...*Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range deliveries {
		d.source = s
	}
	s.waiting = append(s.waiting, deliveries...)
	s.wake()
}

// wake tells every Receive that something has changed. The lock is held.
func (s *Source) wake() {
	if s.changed != nil {
		close(s.changed)
	}
	s.changed = make(chan struct{})
}

// Receive implements pipeline.Source.
func (s *Source) Receive(ctx context.Context) (pipeline.Delivery, error) {
	for {
		s.mu.Lock()
		if ctx.Err() == nil && len(s.waiting) > 0 {
			d := s.waiting[0]
			s.waiting = s.waiting[1:]
			s.open++
			s.mu.Unlock()
			return d, nil
		}
		if s.open == 0 && len(s.waiting) == 0 && !s.Endless {
			s.mu.Unlock()
			return nil, io.EOF
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Delivery is a delivery of log files in memory.
type Delivery struct {
	Name  string
	Files []string                  // CloudTrail files, read one after another
	Bytes int64                     // its Size; 0: the files' length
	Hold  func(ctx context.Context) // called before the first record
	Fail  func(n int) error         // called before the nth record, from 1: a returned error ends the sequence
	Lost  []*pipeline.LostObject    // given before the records
	Keeps bool                      // its records are read again from Files where they are needed

	source  *Source
	mu      sync.Mutex
	settled []error
}

// Records implements pipeline.Delivery.
func (d *Delivery) Records(ctx context.Context) iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		if d.Hold != nil {
			pipeline.Blocking(ctx, func() { d.Hold(ctx) })
		}
		for _, lost := range d.Lost {
			if !yield(nil, lost) {
				return
			}
		}
		n := 0
		for r, err := range d.read() {
			n++
			if d.Fail != nil && err == nil {
				err = d.Fail(n)
			}
			var refused *cloudtrail.Refused
			if !yield(r, err) || err != nil && !errors.As(err, &refused) {
				return
			}
		}
	}
}

// Again implements pipeline.Rereadable.
func (d *Delivery) Again() pipeline.Again {
	if !d.Keeps {
		return nil
	}
	return func(yield func(*cloudtrail.Record) bool) {
		for r, err := range d.read() {
			if err == nil && !yield(r) {
				return
			}
		}
	}
}

// read reads the files.
func (d *Delivery) read() iter.Seq2[*cloudtrail.Record, error] {
	return func(yield func(*cloudtrail.Record, error) bool) {
		reader := cloudtrail.NewReader()
		for _, file := range d.Files {
			reader.Reset(strings.NewReader(file), &cloudtrail.Object{Bucket: "bucket", Key: d.Name, KeyInfo: cloudtrail.ParseKey(d.Name)})
			for {
				r, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

// Settle implements pipeline.Delivery.
func (d *Delivery) Settle(_ context.Context, outcome error) error {
	d.mu.Lock()
	d.settled = append(d.settled, outcome)
	tries := len(d.settled)
	d.mu.Unlock()
	if d.source == nil {
		return nil
	}
	d.source.mu.Lock()
	defer d.source.mu.Unlock()
	d.source.open--
	if outcome != nil && tries < d.source.Tries {
		d.source.waiting = append(d.source.waiting, d)
	}
	d.source.wake()
	return nil
}

// Settled is how the delivery was settled, each time it was.
func (d *Delivery) Settled() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]error(nil), d.settled...)
}

// Size implements pipeline.Sized.
func (d *Delivery) Size() int64 {
	if d.Bytes > 0 {
		return d.Bytes
	}
	var n int64
	for _, f := range d.Files {
		n += int64(len(f))
	}
	return n
}

// String is the delivery's name.
func (d *Delivery) String() string { return d.Name }

// Sink keeps documents by index and id, and counts what comes twice.
type Sink struct {
	Answer func(b *pipeline.Batch) ([]pipeline.Fate, error) // when set, called instead of storing
	Refuse func(id string) *pipeline.Refusal                // nil result: the document is stored
	Delay  time.Duration                                    // before each answer

	mu   sync.Mutex
	docs map[string]string
}

// Write implements pipeline.Sink.
func (s *Sink) Write(ctx context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	if s.Delay > 0 {
		select {
		case <-time.After(s.Delay):
		case <-ctx.Done():
			return make([]pipeline.Fate, b.Len()), context.Cause(ctx)
		}
	}
	if s.Answer != nil {
		return s.Answer(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.docs == nil {
		s.docs = map[string]string{}
	}
	fates := make([]pipeline.Fate, b.Len())
	for i := range fates {
		fates[i] = s.store(b, i)
	}
	return fates, nil
}

func (s *Sink) store(b *pipeline.Batch, i int) pipeline.Fate {
	id := string(b.ID(i))
	if s.Refuse != nil {
		if refusal := s.Refuse(id); refusal != nil {
			return pipeline.Fate{Outcome: pipeline.Refused, Refusal: refusal}
		}
	}
	key := b.Index(i) + "/" + id
	if _, there := s.docs[key]; there {
		return pipeline.Fate{Outcome: pipeline.Duplicate}
	}
	s.docs[key] = string(b.Document(i))
	return pipeline.Fate{Outcome: pipeline.Indexed}
}

// Docs are the documents stored, by index and id with a slash between.
func (s *Sink) Docs() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	docs := make(map[string]string, len(s.docs))
	maps.Copy(docs, s.docs)
	return docs
}

// DeadLetters keeps letters by id, or fails with Err.
type DeadLetters struct {
	Err error

	mu      sync.Mutex
	letters map[string]pipeline.Letter
}

// Bury implements pipeline.DeadLetters.
func (d *DeadLetters) Bury(_ context.Context, letters []pipeline.Letter) error {
	if d.Err != nil {
		return d.Err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.letters == nil {
		d.letters = map[string]pipeline.Letter{}
	}
	for _, l := range letters {
		l.Record = append([]byte(nil), l.Record...)
		d.letters[l.ID] = l
	}
	return nil
}

// Letters are the letters kept, by id.
func (d *DeadLetters) Letters() map[string]pipeline.Letter {
	d.mu.Lock()
	defer d.mu.Unlock()
	letters := make(map[string]pipeline.Letter, len(d.letters))
	maps.Copy(letters, d.letters)
	return letters
}
