package source

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	batchSize   = 10               // the most entries that one call to SQS takes or gives
	maxLoops    = 8                // receive loops of one queue
	longPoll    = 20 * time.Second // the longest SQS waits for a message
	receiveTime = 40 * time.Second // for one receive with the SDK's own retries
	callTime    = 10 * time.Second // for any other call
	settleTime  = 30 * time.Second // for all calls that settle what one receive gave
	tickEvery   = 5 * time.Second
	retryFirst  = time.Second // the first wait after a receive that failed
	retryMost   = time.Minute
	saidEvery   = time.Minute // between two log lines about a queue that cannot be received from
)

// queue receives from one queue and settles its messages. Its methods may be called concurrently.
type queue struct {
	name, url  string
	region     string
	visibility time.Duration
	rules      rules
	api        sqsAPI
	objects    *objects
	buckets    *breakers
	beats      *heartbeat
	deletes    *batcher[*message]
	returns    *batcher[change]
	metrics    *Metrics
	watch      func(loop string) (tick, done func())
	log        *zap.Logger
	start      func() // starts one more receive loop
	stopping   func() bool

	mu    sync.Mutex
	loops int
	fault error     // why receiving does not work at the moment
	said  time.Time // when that was logged last
}

// message is one receipt of a message.
type message struct {
	id, handle string
	receives   int       // how often it was received, this time included
	sent       time.Time // zero when the service does not say
	body       string    // "" once it was read
	received   time.Time

	// Guarded by heartbeat.mu.
	due     time.Time
	beating chan struct{} // closed when the extension under way is answered; nil when there is none
}

// run is one receive loop. It holds at most one call's messages that are not handed out. A queue has one loop while there
// is little to do: a full receive starts another one, an empty or failed one ends all but the last.
func (q *queue) run(ctx context.Context, hand chan<- *delivery) {
	tick, done := q.watch("receive " + q.name)
	defer done()
	delay := retryDelays()
	for ctx.Err() == nil {
		tick()
		messages, err := q.receive(ctx)
		if ctx.Err() != nil && err != nil {
			break
		}
		q.note(err)
		switch {
		case err != nil && q.shrink(), err == nil && len(messages) == 0 && q.shrink():
			return
		case err != nil:
			pause(ctx, delay.NextBackOff(), tick)
			continue
		case len(messages) == batchSize:
			q.grow()
		}
		delay.Reset()
		q.handOut(ctx, hand, q.sort(ctx, messages), tick)
	}
	q.mu.Lock()
	q.loops--
	q.mu.Unlock()
}

// grow starts one more loop unless there are enough.
func (q *queue) grow() {
	q.mu.Lock()
	more := q.loops < maxLoops
	if more {
		q.loops++
	}
	q.mu.Unlock()
	if more {
		q.start()
	}
}

// shrink reports whether the calling loop is to end because others go on.
func (q *queue) shrink() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.loops <= 1 {
		return false
	}
	q.loops--
	return true
}

// note keeps whether receiving works. It says so at most once a minute while it does not, and once when it works again.
func (q *queue) note(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	again := q.fault != nil && err == nil
	q.fault = err
	switch {
	case again:
		q.said = time.Time{}
		q.log.Info("receiving works again")
	case err != nil && time.Since(q.said) >= saidEvery:
		q.said = time.Now()
		q.log.Warn("receiving failed, trying again", zap.Error(err))
	}
}

func (q *queue) broken() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fault
}

// receive asks for messages once and begins their heartbeat.
func (q *queue) receive(ctx context.Context) ([]*message, error) {
	call, cancel := context.WithTimeout(ctx, receiveTime)
	defer cancel()
	out, err := q.api.ReceiveMessage(call, &sqs.ReceiveMessageInput{
		QueueUrl:            aws.String(q.url),
		MaxNumberOfMessages: batchSize,
		WaitTimeSeconds:     int32(longPoll / time.Second),
		VisibilityTimeout:   int32(q.visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameSentTimestamp,
		},
	})
	if err != nil {
		return nil, adviseSQS(err, q.region)
	}
	now := time.Now()
	q.metrics.message(messageReceived, len(out.Messages))
	messages := make([]*message, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = &message{
			id: aws.ToString(m.MessageId), handle: aws.ToString(m.ReceiptHandle), received: now,
			receives: max(1, attribute(m, types.MessageSystemAttributeNameApproximateReceiveCount)),
			body:     aws.ToString(m.Body),
		}
		if ms := attribute(m, types.MessageSystemAttributeNameSentTimestamp); ms > 0 {
			messages[i].sent = time.UnixMilli(int64(ms))
		}
	}
	return messages, nil
}

func attribute(m types.Message, name types.MessageSystemAttributeName) int {
	n, err := strconv.Atoi(m.Attributes[string(name)])
	if err != nil {
		return 0 // an emulator that does not send it
	}
	return n
}

// sort reads the bodies, deletes messages with nothing to read, leaves those it does not understand, puts off those whose
// bucket cannot be read, and returns the rest as deliveries that are kept alive.
func (q *queue) sort(ctx context.Context, messages []*message) []*delivery {
	var work []*delivery
	var idle []*message
	var left, off []change
	for _, m := range messages {
		objects, err := q.read(m)
		m.body = ""
		switch {
		case err != nil:
			left = append(left, change{message: m, timeout: max(q.visibility, unluckyDelay(m.receives))})
		case len(objects) == 0:
			idle = append(idle, m)
		default:
			d := &delivery{queue: q, message: m, objects: objects}
			if err := q.buckets.admit(d.bucket()); err != nil {
				off = append(off, change{message: m, timeout: d.delay(err)})
				continue
			}
			q.beats.hold(m)
			work = append(work, d)
		}
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	for _, err := range q.delete(settling, idle) {
		if err != nil {
			q.log.Warn("deleting a message with nothing to read failed, it will come again", zap.Error(err))
		}
	}
	delayed := append(q.changeVisibility(settling, left, entryTries), q.handBack(settling, off)...)
	for _, err := range delayed {
		if err != nil {
			q.log.Warn("delaying a message failed, its visibility timeout stands", zap.Error(err))
		}
	}
	return work
}

// read tells what of a message is to be read. Its error is a message to leave alone; it has been logged and counted.
func (q *queue) read(m *message) ([]notice, error) {
	log := q.log.With(zap.String("message_id", m.id), zap.Int("attempt", m.receives))
	n, err := parse(m.body)
	if err != nil {
		q.metrics.message(messageUnknown, 1)
		log.Warn("message of unknown form left to the redrive policy", zap.Error(err))
		return nil, err
	}
	objects, err := q.rules.choose(n.objects, func(c cloudtrail.Content, result string) { q.metrics.object(c, result) })
	if err != nil {
		q.metrics.message(messageForeign, 1)
		log.Warn("message of a foreign bucket left to the redrive policy", zap.Error(err))
		return nil, err
	}
	switch {
	case n.warn:
		log.Warn("message names no object, deleting it", zap.String("content", n.idle))
	case n.idle != "":
		log.Info("message names no object, deleting it", zap.String("content", n.idle))
	}
	return objects, nil
}

// handOut gives the deliveries to whoever asks for one. What is left when ctx ends goes back to the queue.
func (q *queue) handOut(ctx context.Context, hand chan<- *delivery, work []*delivery, tick func()) {
	beat := time.NewTicker(tickEvery)
	defer beat.Stop()
	for len(work) > 0 && ctx.Err() == nil {
		select {
		case hand <- work[0]:
			work = work[1:]
		case <-beat.C:
			tick()
		case <-ctx.Done():
		}
	}
	if len(work) == 0 {
		return
	}
	back := make([]change, len(work))
	for i, d := range work {
		q.beats.release(ctx, d.message)
		q.buckets.leave(d.bucket())
		back[i] = change{message: d.message}
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	for _, err := range q.handBack(settling, back) {
		if err != nil {
			q.log.Warn("giving back a message failed, its visibility timeout stands", zap.Error(err))
		}
	}
}

// retryDelays are the waits between receives that fail: growing, jittered, without an end.
func retryDelays() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(retryFirst), backoff.WithMaxInterval(retryMost),
		backoff.WithMultiplier(2), backoff.WithMaxElapsedTime(0),
	)
}
