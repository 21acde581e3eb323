package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
)

// Options are what an SQS source works with. InFlight and Watch may be left out.
type Options struct {
	AWS     *awsconfig.Loader
	Metrics *Metrics
	Log     *zap.Logger
	// InFlight is how many messages the pipeline has in hand at most. A bucket that fails gets a quarter of it. 0: no limit.
	InFlight int
	// Watch is called by each long-running loop when it starts. The loop calls tick at least every two minutes for as long
	// as it runs, whether messages come or not, and done when it ends.
	Watch func(loop string) (tick, done func())
}

// SQS is the source of messages from queues. Start begins to receive; Close ends it. It is a pipeline.Source and a
// pipeline.Readiness.
type SQS struct {
	queues []*queue
	hand   chan *delivery
	loops  sync.WaitGroup // receive loops
	beats  sync.WaitGroup // heartbeats
	ended  chan struct{}  // closed when no loop will hand out anything any more
	begin  sync.Once
	stop   context.CancelFunc // ends the receive loops
	silent context.CancelFunc // ends the heartbeats
}

// sqsAPI is what the source asks of SQS.
type sqsAPI interface {
	ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, o ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

// New returns a source for the queues of c, which is valid. It asks AWS nothing. Its errors are *value.Problem.
func New(c Config, o Options) (*SQS, error) {
	if o.Watch == nil {
		o.Watch = func(string) (tick, done func()) { return func() {}, func() {} }
	}
	s := &SQS{hand: make(chan *delivery), ended: make(chan struct{})}
	var errs []error
	for i, qc := range c.SQS {
		region, endpoint := qc.endpoint()
		if region == "" {
			region = o.AWS.Region()
		}
		if region == "" {
			errs = append(errs, value.Wrong(fmt.Sprintf("sqs[%d].queue_url", i), "%s names no region: set aws.region or AWS_REGION", qc.QueueURL))
			continue
		}
		s.queues = append(s.queues, newQueue(qc, o, region, endpoint))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func newQueue(c QueueConfig, o Options, region, endpoint string) *queue {
	api := sqs.NewFromConfig(o.AWS.Config(region, awsconfig.Role{}), func(so *sqs.Options) {
		if so.BaseEndpoint == nil && endpoint != "" { // the SDK does not look at the queue's URL
			so.BaseEndpoint = aws.String(endpoint)
		}
	})
	q := &queue{
		name: c.name(), url: c.QueueURL, region: region, visibility: c.visibility(),
		rules: rules{buckets: slices.Clone(c.Buckets), keys: c.Keys}, api: api,
		metrics: o.Metrics, watch: o.Watch, log: o.Log.With(zap.String("queue", c.name())),
	}
	q.buckets = newBreakers(q.name, o.InFlight, q.log, o.Metrics)
	q.objects = newObjects(func(r string) aws.Config { return o.AWS.Config(r, c.AssumeRole) }, region, q.buckets, o.Metrics)
	q.wire()
	return q
}

// wire connects a queue's parts to its API.
func (q *queue) wire() {
	q.beats = newHeartbeat(q.visibility, q.extend, q.log, q.metrics)
	q.deletes = &batcher[*message]{linger: linger, send: q.delete}
	q.returns = &batcher[change]{linger: linger, send: q.handBack}
}

// Start begins to receive. When ctx ends no more is received and what was not handed out yet is given back; deliveries
// that were handed out keep their heartbeat and can be settled until Close. It is called once.
func (s *SQS) Start(ctx context.Context) {
	s.begin.Do(func() {
		beating, silent := context.WithCancel(context.WithoutCancel(ctx))
		receiving, stop := context.WithCancel(ctx)
		s.stop, s.silent = stop, silent
		for _, q := range s.queues {
			s.beats.Go(func() { q.beats.run(beating, q.watch, q.name) })
			q.stopping = func() bool { return receiving.Err() != nil }
			q.start = func() { s.loops.Go(func() { q.run(receiving, s.hand) }) }
			q.grow()
		}
		go func() {
			s.loops.Wait()
			close(s.ended)
		}()
	})
}

// Receive returns the next delivery with something to read: a Delivery that is also Sized, Sent and a Stringer. After
// Start's context has ended it returns io.EOF.
func (s *SQS) Receive(ctx context.Context) (pipeline.Delivery, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	select {
	case d := <-s.hand:
		if ctx.Err() == nil {
			return d, nil
		}
		// Both happened at once: give it back as if it had not been handed out.
		return nil, errors.Join(ctx.Err(), d.Settle(context.WithoutCancel(ctx), pipeline.ErrNotStarted))
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, io.EOF
	}
}

// Ready reports the queues that cannot be received from at the moment, and what to do about it.
func (s *SQS) Ready() error {
	var errs []error
	for _, q := range s.queues {
		if err := q.broken(); err != nil {
			errs = append(errs, fmt.Errorf("receiving from %s: %w", q.url, err))
		}
	}
	return errors.Join(errs...)
}

// SickBuckets lists the buckets that cannot be read, or failed last, by queue and name.
func (s *SQS) SickBuckets() []SickBucket {
	var all []SickBucket
	for _, q := range s.queues {
		all = append(all, q.buckets.list()...)
	}
	return all
}

// Close ends receiving, gives back what was not handed out, waits for deletes under way and ends the heartbeats. It is
// called when every delivery is settled, or will not be: those become visible when their visibility timeout has passed. It
// returns ctx's error when ctx ends first.
func (s *SQS) Close(ctx context.Context) error {
	s.begin.Do(func() { close(s.ended) }) // Start was never called
	if s.stop == nil {
		return nil
	}
	s.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-s.ended
		for _, q := range s.queues {
			q.deletes.wait()
			q.returns.wait()
		}
		s.silent()
		s.beats.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.silent()
		return fmt.Errorf("closing the queues: %w", ctx.Err())
	}
}

// pause waits for d, or until ctx ends, calling tick every few seconds.
func pause(ctx context.Context, d time.Duration, tick func()) {
	end := time.NewTimer(d)
	defer end.Stop()
	beat := time.NewTicker(tickEvery)
	defer beat.Stop()
	for {
		select {
		case <-end.C:
			return
		case <-ctx.Done():
			return
		case <-beat.C:
			tick()
		}
	}
}
