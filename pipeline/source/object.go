package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	maxWhole    = 8 << 20          // a larger object is streamed
	streamAhead = 64 << 10         // what is read of a streamed object in one wait for the network
	getTime     = 30 * time.Second // for S3 to begin its answer, with the SDK's own retries
	maxClients  = 64               // more regions than AWS has: notices that name more are not believed
	maxRegions  = 4096             // buckets whose region is remembered
	idleReaders = 16
)

var errSilent = fmt.Errorf("S3 does not answer within %s", getTime)

// objects reads objects from S3, each bucket through a client of its own region. It is safe for concurrent use.
type objects struct {
	config  func(region string) aws.Config
	home    string // the region of a bucket of which nothing is known
	form    *regexp.Regexp
	buckets *breakers
	metrics *Metrics
	buffers buffers
	readers chan *cloudtrail.Reader // idle ones; a sync.Pool would be emptied by the collector all the time

	mu      sync.Mutex
	clients map[string]client // by region
	regions map[string]string // by bucket, where a service told it
}

func newObjects(config func(region string) aws.Config, home string, b *breakers, m *Metrics) *objects {
	return &objects{
		config: config, home: home, form: regionForm(), buckets: b, metrics: m,
		readers: make(chan *cloudtrail.Reader, idleReaders),
		clients: map[string]client{}, regions: map[string]string{},
	}
}

// region is where the bucket of n is believed to be: where S3 said, else where the notice says, else home.
func (o *objects) region(n notice) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if region, ok := o.regions[n.bucket]; ok {
		return region
	}
	_, known := o.clients[n.region]
	if known || o.form.MatchString(n.region) && len(o.clients) < maxClients {
		return n.region
	}
	return o.home
}

// client asks the S3 of one region, in two ways.
type client struct {
	*s3.Client
	plain *plain
}

func (o *objects) client(region string) client {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, ok := o.clients[region]
	if !ok {
		sdk := awsconfig.S3(o.config(region))
		c = client{sdk, newPlain(sdk.Options())}
		o.clients[region] = c
	}
	return c
}

// get asks plainly first, unless told to be careful, and then through the SDK.
func (c client) get(ctx context.Context, in *s3.GetObjectInput, careful bool) (*s3.GetObjectOutput, error) {
	refused := false
	if !careful {
		var out *s3.GetObjectOutput
		if out, refused = c.plain.get(ctx, in); out != nil {
			return out, nil
		}
	}
	out, err := c.GetObject(ctx, in)
	if err == nil && refused {
		c.plain.rest()
	}
	return out, err
}

// get begins to read an object. Where S3 answers that the bucket is in another region, or the believed region does not
// exist, it finds the right one, remembers it, and tries there once.
func (o *objects) get(ctx context.Context, r *reading) (out *s3.GetObjectOutput, region string, err error) {
	n := r.notice
	region = o.region(n)
	in := &s3.GetObjectInput{Bucket: aws.String(n.bucket), Key: aws.String(n.key)}
	if n.owner != "" {
		in.ExpectedBucketOwner = aws.String(n.owner)
	}
	out, err = o.client(region).get(ctx, in, r.careful)
	if err == nil || !misplaced(err, region != o.home) {
		return out, region, err
	}
	found, asked := o.discover(ctx, n.bucket, err)
	if asked != nil || found == region {
		return nil, region, errors.Join(err, asked)
	}
	out, err = o.client(found).GetObject(ctx, in)
	return out, found, err
}

// discover finds a bucket's region: in the answer that sent us elsewhere, else by asking for it.
func (o *objects) discover(ctx context.Context, bucket string, answer error) (string, error) {
	region := bucketRegion(answer)
	if region == "" {
		out, err := o.client(o.home).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(bucket)})
		if err == nil {
			region = aws.ToString(out.BucketRegion)
		} else if region = bucketRegion(err); region == "" {
			return "", fmt.Errorf("finding the region of bucket %s: %w", bucket, err)
		}
	}
	if !o.form.MatchString(region) {
		return "", fmt.Errorf("finding the region of bucket %s: %.40q is no region", bucket, region)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.regions) >= maxRegions {
		clear(o.regions)
	}
	o.regions[bucket] = region
	return region, nil
}

// body is an object's content while it is read.
type body struct {
	io.Reader
	region string
	source *stream // of a streamed body
	cancel context.CancelCauseFunc
	buffer *[]byte  // of a body in memory
	pool   *buffers // where buffer goes back to
}

// open begins to read an object: into memory when it is small enough, else as a stream. It waits without the CPU
// slot that ctx carries. Its error is a get that failed, or a *broken body.
func (o *objects) open(ctx context.Context, r *reading) (b *body, err error) {
	pipeline.Blocking(ctx, func() {
		reading, cancel := context.WithCancelCause(ctx)
		var out *s3.GetObjectOutput
		var region string
		if out, region, err = o.getInTime(reading, cancel, r); err != nil {
			return
		}
		size := aws.ToInt64(out.ContentLength)
		if out.ContentLength == nil || size > r.whole {
			s := &stream{ctx: ctx, src: out.Body, metrics: o.metrics}
			b = &body{Reader: bufio.NewReaderSize(s, streamAhead), region: region, source: s, cancel: cancel}
			return
		}
		defer cancel(nil)
		b, err = o.inMemory(out.Body, size)
		if b != nil {
			b.region = region
		}
	})
	return b, err
}

// getInTime is get, and gives up by cancel when S3 does not begin to answer: a bucket that hangs must not keep what others
// wait for.
func (o *objects) getInTime(ctx context.Context, cancel context.CancelCauseFunc, r *reading) (out *s3.GetObjectOutput, region string, err error) {
	late := time.AfterFunc(getTime, func() { cancel(errSilent) })
	out, region, err = o.get(ctx, r)
	if late.Stop() && err == nil {
		return out, region, nil
	}
	cause := context.Cause(ctx)
	cancel(nil)
	switch {
	case err == nil:
		_ = out.Body.Close() // it came too late
		return nil, "", errSilent
	case errors.Is(cause, errSilent):
		return nil, "", errSilent
	}
	return nil, "", err
}

// inMemory reads src, which is said to have size bytes, to its end, where a wrong checksum is reported.
func (o *objects) inMemory(src io.ReadCloser, size int64) (*body, error) {
	buffer := o.buffers.take(int(size) + 1) // one more, to see the end
	n, err := fill(src, *buffer)
	_ = src.Close() // read to its end or given up: there is nothing to learn from it
	o.metrics.bytes.Add(float64(n))
	if err == nil && int64(n) != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		o.buffers.give(buffer)
		return nil, &broken{err}
	}
	*buffer = (*buffer)[:n]
	return &body{Reader: bytes.NewReader(*buffer), buffer: buffer, pool: &o.buffers}, nil
}

// fill reads src to its end into p, which is too large for it.
func fill(src io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = src.Read(p[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// inMemory reports whether all of it is there.
func (b *body) inMemory() bool { return b != nil && b.buffer != nil }

// lend makes a streamed body lend the CPU slot that ctx carries whenever it waits for the network.
func (b *body) lend(ctx context.Context) {
	if b.source != nil {
		b.source.ctx = ctx
	}
}

// broke is the error with which the transfer broke off, nil when it did not.
func (b *body) broke() error {
	if b.source == nil || b.source.err == nil {
		return nil
	}
	return &broken{b.source.err}
}

// close gives back what the body holds. Nobody may use its bytes any more.
func (b *body) close() {
	if b.source != nil {
		_ = b.source.src.Close() // an abandoned stream ends here: there is nothing to learn from it
		b.cancel(nil)
		return
	}
	b.pool.give(b.buffer)
}

// broken is the error of a transfer that broke off or whose bytes do not have their checksum: the object itself may be
// good.
type broken struct{ err error }

func (e *broken) Error() string { return "the transfer broke off: " + e.err.Error() }
func (e *broken) Unwrap() error { return e.err }

// stream reads a body from the network without the CPU slot of its reader.
type stream struct {
	ctx     context.Context //nolint:containedctx // io.Reader has no other way to know whose slot to lend
	src     io.ReadCloser
	metrics *Metrics
	err     error // what ended it, unless its end
}

func (s *stream) Read(p []byte) (n int, err error) {
	pipeline.Blocking(s.ctx, func() { n, err = s.src.Read(p) })
	s.metrics.bytes.Add(float64(n))
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
