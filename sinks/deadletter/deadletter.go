// Package deadletter keeps what no sink will take: in an index, in a bucket of S3, in a directory, or in the first of them that
// works. A letter holds the whole record, the reason, and where the record came from, so that it can be looked into and sent
// again.
package deadletter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
)

// Config is the section dead_letter. With several places they are tried in this order: the index, S3, the directory; the
// first one that works keeps a letter.
type Config struct {
	Index     string `yaml:"index"`     // in the sink's cluster
	S3        string `yaml:"s3"`        // s3://bucket/prefix: gzipped JSON lines
	Directory string `yaml:"directory"` // JSON lines, on the disk before a message is deleted
}

// Validate returns every *value.Problem of the section, joined.
func (c Config) Validate() error {
	var errs []error
	if c.Index != "" {
		if _, err := pipeline.ParseIndexPattern(c.Index); err != nil || strings.Contains(c.Index, "{") {
			errs = append(errs, value.Wrong("index", "%q is no name of one index: write lower-case letters, digits, - and _, such as trailship-dead-letters", c.Index))
		}
	}
	if c.S3 != "" {
		if _, _, err := parseS3(c.S3); err != nil {
			errs = append(errs, value.Wrong("s3", "%v", err))
		}
	}
	return errors.Join(errs...)
}

// Options are what the places work with.
type Options struct {
	Cluster Cluster                        // where the index is; nil: the sink is no cluster
	AWS     func(region string) aws.Config // for S3; "" is the account's own region
	Log     *zap.Logger
	// Patience is how long letters wait while no place takes any, counted from the first failure; 0: they do not wait.
	Patience time.Duration
}

// place keeps letters.
type place interface {
	pipeline.DeadLetters
	fmt.Stringer
}

// Places tries one place after the other. It is a pipeline.DeadLetters and a pipeline.Readiness, and safe for concurrent use.
type Places struct {
	places   []place
	log      *zap.Logger
	patience time.Duration

	mu     sync.Mutex
	fault  error     // why no place took the last letters
	began  time.Time // when the first of those failed that did so one behind the other
	failed time.Time // when the last one did
}

// faultShown is how long a fault counts. No letter comes to tell that it is over: messages of letters that found no place
// come back much later.
const faultShown = 15 * time.Minute

// The pauses before letters are tried again.
const (
	firstPause = 500 * time.Millisecond
	mostPause  = 5 * time.Second
)

// New returns the places of c in the order of trying them; nil when c names none, so that refusals fail their delivery. Its
// errors are *value.Problem.
func New(c Config, o Options) (*Places, error) {
	p := &Places{log: o.Log, patience: o.Patience}
	if c.Index != "" {
		if o.Cluster == nil {
			return nil, value.Wrong("index", "the sink is no cluster that could hold it: write s3 or directory instead")
		}
		p.places = append(p.places, &index{name: c.Index, cluster: o.Cluster})
	}
	if c.S3 != "" {
		b, err := newBucket(c.S3, o.AWS)
		if err != nil {
			return nil, value.Wrong("s3", "%v", err)
		}
		p.places = append(p.places, b)
	}
	if c.Directory != "" {
		d, err := openDirectory(c.Directory)
		if err != nil {
			return nil, value.Wrong("directory", "%v", err)
		}
		p.places = append(p.places, d)
	}
	if len(p.places) == 0 {
		return nil, nil //nolint:nilnil // no place is not a mistake
	}
	return p, nil
}

// Bury implements pipeline.DeadLetters: it returns nil when one place has all letters. While there is none it tries again, so
// that a cluster that is away for a moment costs no message a receive. That ends when patience has gone by, for these letters
// or since letters began to find no place: messages that have none must not wait for those that have. A try that gets no
// answer takes longer, up to a minute.
func (p *Places) Bury(ctx context.Context, letters []pipeline.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstPause), backoff.WithMaxInterval(mostPause), backoff.WithMaxElapsedTime(p.patience),
	)
	var err error
	_ = backoff.Retry(func() error { // its own error may hide why the letters were not taken
		if err = p.once(ctx, letters); err != nil && !p.waits() {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(pauses, ctx))
	return err
}

// once tries one place after the other.
func (p *Places) once(ctx context.Context, letters []pipeline.Letter) error {
	var errs []error
	from := time.Now()
	for _, place := range p.places {
		err := place.Bury(ctx, letters)
		if err == nil {
			if len(errs) > 0 {
				p.log.Warn("dead letters went to the next place", zap.Stringer("place", place), zap.Int("letters", len(letters)), zap.Error(errors.Join(errs...)))
			}
			p.note(from, nil)
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", place, err))
	}
	err := errors.Join(errs...)
	if ctx.Err() == nil { // cut off by shutdown, a place may well work
		p.note(from, err)
	}
	return err
}

// note notes how a try ended that began at from.
func (p *Places) note(from time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil || from.Sub(p.failed) > faultShown {
		p.began = from
	}
	p.fault, p.failed = err, time.Now()
}

// waits reports whether letters that no place took are to wait.
func (p *Places) waits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.began) < p.patience
}

// Ready implements pipeline.Readiness: the error says why no place takes letters. Messages with a refused record are not
// deleted meanwhile; all others are.
func (p *Places) Ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil || time.Since(p.failed) > faultShown {
		return nil
	}
	return fmt.Errorf("no place takes dead letters, their messages stay in the queue: make one of them work: %w", p.fault)
}
