package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// objectTries is how often an object is read before it counts as lost, or its delivery as failed.
const objectTries = 3

// consumer is what Records hands its records to.
type consumer = func(*cloudtrail.Record, error) bool

// reading is one object on its way through Records. A second try skips the records that the first one gave.
type reading struct {
	notice  notice
	visit   *visit
	content cloudtrail.KeyInfo
	object  *cloudtrail.Object // the origin of its records, made when it is first opened
	given   int                // the number of the last record or refusal that was given
	careful bool               // S3 is only asked through the SDK: something went wrong before
	stopped bool               // the consumer wants no more
}

// read gives the records of one object to yield and reports whether to go on with the next object.
func (o *objects) read(ctx context.Context, n notice, whole int64, yield consumer) bool {
	r := &reading{notice: n, content: cloudtrail.ParseKey(n.key)}
	var err error
	if r.visit, err = o.buckets.enter(n.bucket); err != nil {
		o.metrics.object(r.content.Content, objectFailed)
		yield(nil, err)
		return false
	}
	defer r.visit.end()
	r.careful = r.visit.failing()
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMultiplier(4))
	for try := 1; ; try++ {
		err = o.try(ctx, r, whole, yield)
		if err == nil || r.stopped || ctx.Err() != nil || try == objectTries || !worthAnotherTry(err) {
			break
		}
		pipeline.Blocking(ctx, func() { pause(ctx, wait.NextBackOff(), func() {}) })
	}
	reason := lostReason(err)
	if reason != "" {
		r.visit.worked() // S3 says what is wrong with this one object
	}
	switch {
	case r.stopped:
		return false
	case err == nil:
		o.metrics.object(r.content.Content, objectRead)
		return true
	case reason != "" && ctx.Err() == nil:
		o.metrics.object(r.content.Content, objectLost)
		return yield(nil, &pipeline.LostObject{Object: r.origin(""), Reason: reason, Err: err})
	}
	o.metrics.object(r.content.Content, objectFailed)
	yield(nil, fmt.Errorf("reading s3://%s/%s: %w", n.bucket, n.key, r.failure(err)))
	return false
}

// unluckyRead is the error of a read that failed for no lasting reason, from a bucket that works.
type unluckyRead struct{ err error }

func (e *unluckyRead) Error() string { return e.err.Error() }
func (e *unluckyRead) Unwrap() error { return e.err }

// failure says how the failed read counts for its message: the bucket's, bad luck, or a fault of its own.
func (r *reading) failure(err error) error {
	advised := adviseS3(err)
	switch closed := r.visit.failed(err); {
	case closed:
		return &bucketClosed{r.notice.bucket, advised}
	case faultOf(err) == faultPassing:
		return &unluckyRead{advised}
	}
	return advised
}

// try reads the object once, from its beginning. Its error is the get's, a *broken, or the Reader's.
func (o *objects) try(ctx context.Context, r *reading, whole int64, yield consumer) error {
	b, err := o.open(ctx, r, whole)
	r.careful = true
	if err != nil {
		return err
	}
	defer b.close()
	r.visit.worked()
	reader := o.reader()
	defer o.idle(reader)
	reader.Reset(b, r.origin(b.region))
	if err = r.records(reader, yield); err != nil {
		if broke := b.broke(); broke != nil {
			return broke
		}
		return &unreadable{err}
	}
	return nil
}

func (o *objects) reader() *cloudtrail.Reader {
	select {
	case r := <-o.readers:
		return r
	default:
		return cloudtrail.NewReader()
	}
}

// idle takes a reader back.
func (o *objects) idle(r *cloudtrail.Reader) {
	r.Reset(eof{}, nil) // lets go of the body
	select {
	case o.readers <- r:
	default:
	}
}

// records gives the records that were not given by an earlier try.
func (r *reading) records(reader *cloudtrail.Reader, yield consumer) error {
	for {
		record, err := reader.Next()
		var refused *cloudtrail.Refused
		number := 0
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &refused):
			number = refused.Number
		case err != nil:
			return err
		default:
			number = record.Number
		}
		if number <= r.given {
			continue
		}
		r.given = number
		if !yield(record, err) {
			r.stopped = true
			return nil
		}
	}
}

// origin is the object as its records know it: the same one at every try, since records may still refer to it.
func (r *reading) origin(region string) *cloudtrail.Object {
	if r.object == nil {
		r.object = &cloudtrail.Object{Bucket: r.notice.bucket, Key: r.notice.key, Region: region, Read: time.Now(), KeyInfo: r.content}
	}
	return r.object
}

// eof is a reader of nothing.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
