package source

import (
	"bytes"
	"cmp"
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

// maxKept is how large an object may be that is kept, to be read again where a document must be sent again: that takes some
// milliseconds at most.
const maxKept = 128 << 10

// errChanged is the error of an object that was small when it was first read and is not any more.
var errChanged = errors.New("the object changed while it was read")

// consumer is what Records hands its records to.
type consumer = func(*cloudtrail.Record, error) bool

// reading is one object on its way, from the question to S3 until its last record. A second try skips the records that the
// first one gave.
type reading struct {
	*objects
	notice  notice
	whole   int64  // a body of at most so many bytes is read into memory
	visit   *visit // nil when the bucket is not to be asked now: err says why
	content cloudtrail.KeyInfo
	origin  *cloudtrail.Object // of its records, made when it is first opened
	given   int                // the number of the last record or refusal that was given
	careful bool               // S3 is only asked through the SDK: something went wrong before
	stopped bool               // the consumer wants no more

	tries int
	wait  backoff.BackOff // between them
	body  *body           // of the last try
	spent []*body         // of those before; records may still be read again from them
	kept  bool            // they are in memory and small
	err   error           // of the last try
	over  bool            // there will be no other try
}

// begin begins to read an object. Whoever calls it calls end.
func (o *objects) begin(n notice, whole int64) *reading {
	r := &reading{objects: o, notice: n, whole: whole, content: cloudtrail.ParseKey(n.key)}
	if r.visit, r.err = o.buckets.enter(n.bucket); r.err != nil {
		r.over = true
		return r
	}
	r.careful = r.visit.failing()
	r.wait = backoff.NewExponentialBackOff(backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMultiplier(4))
	return r
}

// fetch has the object's body ready, all of it unless it is large, and reports whether there is one.
func (r *reading) fetch(ctx context.Context) bool {
	for r.body == nil && !r.over {
		r.body, r.err = r.open(ctx, r)
		r.careful = true
		if r.err != nil {
			r.over = !r.mayTry(ctx)
			continue
		}
		r.visit.worked()
		if r.origin == nil { // the same at every try, since records may still refer to it
			r.origin = r.object(r.body.region)
			r.kept = r.body.inMemory() && len(*r.body.buffer) <= maxKept
		} else if r.kept && !r.body.inMemory() {
			r.retire()
			r.err, r.over = errChanged, true
		}
	}
	return r.body != nil
}

// mayTry reports whether another try is worth it, once it is time for it.
func (r *reading) mayTry(ctx context.Context) bool {
	r.tries++
	if ctx.Err() != nil || r.tries == objectTries || !worthAnotherTry(r.err) {
		return false
	}
	pipeline.Blocking(ctx, func() { pause(ctx, r.wait.NextBackOff(), func() {}) })
	return true
}

// read gives the object's records to yield and reports whether to go on with the next object.
func (r *reading) read(ctx context.Context, yield consumer) bool {
	for r.fetch(ctx) {
		r.err = r.records(ctx, yield)
		if r.err == nil || r.stopped {
			break
		}
		r.retire()
		r.over = !r.mayTry(ctx)
	}
	if r.visit == nil {
		r.metrics.object(r.content.Content, objectFailed)
		yield(nil, r.err)
		return false
	}
	reason := lostReason(r.err)
	if reason != "" {
		r.visit.worked() // S3 says what is wrong with this one object
	}
	switch {
	case r.stopped:
		return false
	case r.err == nil:
		r.metrics.object(r.content.Content, objectRead)
		return true
	case reason != "" && ctx.Err() == nil:
		r.metrics.object(r.content.Content, objectLost)
		return yield(nil, &pipeline.LostObject{Object: cmp.Or(r.origin, r.object("")), Reason: reason, Err: r.err})
	}
	r.metrics.object(r.content.Content, objectFailed)
	yield(nil, fmt.Errorf("reading s3://%s/%s: %w", r.notice.bucket, r.notice.key, r.failure(r.err)))
	return false
}

// retire puts the body of a try aside.
func (r *reading) retire() {
	if r.body.inMemory() {
		r.spent = append(r.spent, r.body)
	} else {
		r.body.close()
	}
	r.body = nil
}

// end ends a reading, whether or not its records were read.
func (r *reading) end() {
	if r.body != nil {
		r.retire()
	}
	for _, b := range r.spent {
		b.close()
	}
	r.spent = nil
	if r.visit != nil {
		r.visit.end()
	}
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

// records reads the body once. Its error is a *broken, or the Reader's as an *unreadable.
func (r *reading) records(ctx context.Context, yield consumer) error {
	r.body.lend(ctx)
	reader := r.reader()
	defer r.idle(reader)
	reader.Reset(r.body.Reader, r.origin) // as it is: what is in memory is inflated where it stands
	if err := r.each(reader, yield); err != nil {
		if broke := r.body.broke(); broke != nil {
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

// each gives the records that were not given by an earlier try.
func (r *reading) each(reader *cloudtrail.Reader, yield consumer) error {
	for {
		record, err := reader.Next()
		number := 0
		if err == nil {
			number = record.Number
		} else if number = refusedNumber(err); number == 0 {
			return end(err)
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

// refusedNumber is the number of a record that cannot be read, 0 when the error is the file's.
func refusedNumber(err error) int {
	if refused, ok := errors.AsType[*cloudtrail.Refused](err); ok {
		return refused.Number
	}
	return 0
}

// end is nil at a file's end.
func end(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// again gives the records of the last body once more, but for those that cannot be read. The body was kept.
func (r *reading) again() pipeline.Again {
	last := r.body
	if last == nil {
		last = r.spent[len(r.spent)-1]
	}
	content := *last.buffer
	return func(yield func(*cloudtrail.Record) bool) {
		reader := r.reader()
		defer r.idle(reader)
		reader.Reset(bytes.NewReader(content), r.origin)
		for {
			record, err := reader.Next()
			if err != nil && refusedNumber(err) == 0 || err == nil && !yield(record) {
				return
			}
		}
	}
}

// object is the object as its records know it.
func (r *reading) object(region string) *cloudtrail.Object {
	return &cloudtrail.Object{Bucket: r.notice.bucket, Key: r.notice.key, Region: region, Read: time.Now(), KeyInfo: r.content}
}

// eof is a reader of nothing.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
