// Package replay is a source of dead letters: it gives the records that no sink would take to a pipeline once more, and takes
// those that went through out of the place that kept them.
//
// A letter is removed after its record is stored and never before, and a letter that is refused again stays where it is. So
// a replay may be killed at any moment: at worst a letter is sent once more, and meets its own document.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/deadletter"
)

// Objects reads a log object again that was gone or damaged. The sequence is that of pipeline.Delivery.Records.
type Objects interface {
	Records(ctx context.Context, bucket, key string) iter.Seq2[*cloudtrail.Record, error]
}

// Options are what a replay works with.
type Options struct {
	Shelves []deadletter.Shelf
	Filter  deadletter.Filter    // without Until, letters that are buried from now on are left out
	Objects Objects              // nil: letters of whole objects stay
	Places  pipeline.DeadLetters // for letters that are new: those of an object that is read again; nil: none
	Log     *zap.Logger
}

// Progress is what became of letters so far.
type Progress struct {
	Chosen   int // by the filter
	Removed  int // their records are stored
	Stayed   int // refused again, or their object still cannot be read
	Unknown  int // could not be decided: the next replay has them again
	LeftOut  int // by the filter
	Damaged  int // lines and documents that are no letters; they stay
	Stacks   int // files, objects and pages begun
	Finished int // of those
}

// Source is a pipeline.Source of dead letters, and the pipeline's pipeline.DeadLetters. Use one for one run of a pipeline.
type Source struct {
	o     Options
	mu    sync.Mutex
	next  func() (deadletter.Stack, error, bool)
	stop  func()
	hand  map[string]*copies // letters that are on their way, by id
	count Progress
	errs  []error
}

// copies are the letters of one id that are on their way: the same record may have been buried more than once.
type copies struct{ out, refused int }

// New returns a source. It reads nothing yet.
func New(o Options) *Source {
	if o.Filter.Until.IsZero() {
		o.Filter.Until = time.Now()
	}
	return &Source{o: o, hand: map[string]*copies{}}
}

// Receive implements pipeline.Source: a delivery is a stack of letters. A place that cannot be read is left out, Err says so.
func (s *Source) Receive(ctx context.Context) (pipeline.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next, s.stop = iter.Pull2(s.stacks(ctx))
	}
	for {
		found, err, ok := s.next()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !ok:
			return nil, io.EOF
		case err != nil:
			s.errs = append(s.errs, err)
		default:
			s.count.Stacks++
			return &stack{source: s, stack: found}, nil
		}
	}
}

// stacks are those of all shelves, one after the other.
func (s *Source) stacks(ctx context.Context) iter.Seq2[deadletter.Stack, error] {
	return func(yield func(deadletter.Stack, error) bool) {
		for _, shelf := range s.o.Shelves {
			for found, err := range shelf.Stacks(ctx, s.o.Filter.Since, s.o.Filter.Until) {
				if !yield(found, err) {
					return
				}
			}
		}
	}
}

// Close ends reading. It is called when the pipeline has ended.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop()
	}
}

// Progress returns the counts of one moment. It may be called at any time.
func (s *Source) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Err is everything that went wrong so far, with places and stacks.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// Bury implements pipeline.DeadLetters. A letter that is on its way through the pipeline stays where it is; others, which
// come of objects that are read again, are new.
func (s *Source) Bury(ctx context.Context, letters []pipeline.Letter) error {
	var fresh []pipeline.Letter
	s.mu.Lock()
	for i := range letters {
		if c := s.hand[letters[i].ID]; c != nil {
			c.refused++
		} else {
			fresh = append(fresh, letters[i])
		}
	}
	s.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	if s.o.Places == nil {
		return errors.New("there is no place for new dead letters")
	}
	return s.o.Places.Bury(ctx, fresh)
}

// take notes that a letter is on its way.
func (s *Source) take(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.hand[id]
	if c == nil {
		c = &copies{}
		s.hand[id] = c
	}
	c.out++
	s.count.Chosen++
}

// release ends what take began, and reports whether the letter was refused again. The lock is held.
func (s *Source) release(id string) (refused bool) {
	c := s.hand[id]
	if c == nil {
		return true // cannot be: only what was taken is released
	}
	if c.out--; c.out == 0 {
		delete(s.hand, id)
	}
	if refused = c.refused > 0; refused {
		c.refused--
	}
	return refused
}

func (s *Source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

var (
	_ pipeline.Source      = (*Source)(nil)
	_ pipeline.DeadLetters = (*Source)(nil)
	_ pipeline.Delivery    = (*stack)(nil)
	_ fmt.Stringer         = (*stack)(nil)
)
