package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/cenkalti/backoff/v4"
)

// linger is how long a settlement waits for others to share its call.
const linger = 20 * time.Millisecond

// change is a message and the time for which it is to stay invisible from now on.
type change struct {
	message *message
	timeout time.Duration
}

// delete deletes messages, ten a call, and returns one result each. It counts them.
func (q *queue) delete(ctx context.Context, messages []*message) []error {
	errs := entries(ctx, len(messages), entryTries, func(ctx context.Context, some []int) (answer, error) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(q.url)}
		for _, i := range some {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(messages[i].handle),
			})
		}
		out, err := q.api.DeleteMessageBatch(ctx, in)
		if err != nil {
			return answer{}, adviseSQS(err, q.region)
		}
		a := answer{failed: out.Failed}
		for _, e := range out.Successful {
			a.done = append(a.done, aws.ToString(e.Id))
		}
		return a, nil
	})
	q.count(errs, messageDeleted, messageDeleteFailed)
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("deleting message %s: %w", messages[i].id, err)
		}
	}
	return errs
}

// handBack sets when messages are delivered again and returns one result each. It counts them.
func (q *queue) handBack(ctx context.Context, changes []change) []error {
	errs := q.changeVisibility(ctx, changes, entryTries)
	q.count(errs, messageReturned, messageReturnFailed)
	return errs
}

// extend is handBack for the heartbeat, which has its own way of trying again.
func (q *queue) extend(ctx context.Context, changes []change) []error {
	return q.changeVisibility(ctx, changes, 1)
}

// changeVisibility sets for how long messages stay invisible, ten a call, and returns one result each.
func (q *queue) changeVisibility(ctx context.Context, changes []change, tries int) []error {
	errs := entries(ctx, len(changes), tries, func(ctx context.Context, some []int) (answer, error) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(q.url)}
		for _, i := range some {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(changes[i].message.handle),
				VisibilityTimeout: int32(changes[i].timeout / time.Second),
			})
		}
		out, err := q.api.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil {
			return answer{}, adviseSQS(err, q.region)
		}
		a := answer{failed: out.Failed}
		for _, e := range out.Successful {
			a.done = append(a.done, aws.ToString(e.Id))
		}
		return a, nil
	})
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("setting the visibility of message %s: %w", changes[i].message.id, err)
		}
	}
	return errs
}

func (q *queue) count(errs []error, good, bad string) {
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	q.metrics.message(good, len(errs)-failed)
	q.metrics.message(bad, failed)
}

// entryError is SQS's answer to one entry of a batch.
type entryError struct {
	code, message string
	sender        bool // the entry is at fault: its handle is stale or unknown
}

func (e *entryError) Error() string { return e.code + ": " + e.message }

// senderFault reports whether SQS says that trying again is of no use.
func senderFault(err error) bool {
	var e *entryError
	return errors.As(err, &e) && e.sender
}

var errNoAnswer = errors.New("the service does not say what became of it")

// answer is what a batch call says of its entries: the ids of those done, and why the others are not.
type answer struct {
	done   []string
	failed []types.BatchResultErrorEntry
}

// entryTries is how often an entry is sent. The SDK's own tries of a whole call come on top.
const entryTries = 4

// entries makes calls for the entries 0 to n-1, ten a call, until each is done, is at fault itself, or was sent so many
// times. That a call succeeded says nothing of its entries. It returns one result each.
func entries(ctx context.Context, n, tries int, call func(ctx context.Context, some []int) (answer, error)) []error {
	errs := make([]error, n)
	left := make([]int, n)
	for i := range left {
		left[i] = i
		errs[i] = errNoAnswer
	}
	for part := range slices.Chunk(left, batchSize) {
		wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxInterval(time.Second))
		for try := 1; len(part) > 0; try++ {
			if part = attempt(ctx, part, errs, call); len(part) == 0 || try == tries || ctx.Err() != nil {
				break
			}
			pause(ctx, wait.NextBackOff(), func() {})
		}
	}
	return errs
}

// attempt makes one call, notes the results in errs and returns the entries that are worth another try.
func attempt(ctx context.Context, some []int, errs []error, call func(context.Context, []int) (answer, error)) []int {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	a, err := call(ctx, some)
	for _, i := range some {
		errs[i] = errNoAnswer
		if err != nil {
			errs[i] = err
		}
	}
	for _, id := range a.done {
		if i, ok := entry(id, some); ok {
			errs[i] = nil
		}
	}
	for _, f := range a.failed {
		if i, ok := entry(aws.ToString(f.Id), some); ok {
			errs[i] = &entryError{code: aws.ToString(f.Code), message: aws.ToString(f.Message), sender: f.SenderFault}
		}
	}
	return slices.DeleteFunc(slices.Clone(some), func(i int) bool { return errs[i] == nil || senderFault(errs[i]) })
}

// entry is the index that an answer's id stands for.
func entry(id string, some []int) (int, bool) {
	i, err := strconv.Atoi(id)
	return i, err == nil && slices.Contains(some, i)
}

// batcher lets concurrent callers share calls: an item waits at most the linger, or until ten have come together.
type batcher[T any] struct {
	linger time.Duration
	send   func(ctx context.Context, items []T) []error

	mu     sync.Mutex
	open   *batch[T]
	flying sync.WaitGroup
}

type batch[T any] struct {
	items []T
	once  sync.Once
	errs  []error       // by position of items
	done  chan struct{} // closed when errs is there
}

// do sends item, together with others, and returns what became of it. ctx bounds the caller's wait only.
func (b *batcher[T]) do(ctx context.Context, item T) error {
	mine, i, full := b.join(ctx, item)
	if full {
		b.flush(ctx, mine)
	}
	select {
	case <-mine.done:
		return mine.errs[i]
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join puts item into the open batch, opening one if there is none.
func (b *batcher[T]) join(ctx context.Context, item T) (mine *batch[T], i int, full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		opened := &batch[T]{done: make(chan struct{})}
		b.open = opened
		b.flying.Add(1)
		time.AfterFunc(b.linger, func() { b.flush(ctx, opened) })
	}
	mine = b.open
	mine.items = append(mine.items, item)
	if full = len(mine.items) == batchSize; full {
		b.open = nil
	}
	return mine, len(mine.items) - 1, full
}

// flush sends the batch unless somebody did.
func (b *batcher[T]) flush(ctx context.Context, mine *batch[T]) {
	b.mu.Lock()
	if b.open == mine {
		b.open = nil
	}
	b.mu.Unlock()
	mine.once.Do(func() {
		defer b.flying.Done()
		defer close(mine.done)
		mine.errs = b.send(context.WithoutCancel(ctx), mine.items)
	})
}

// wait returns when every batch that was opened has been sent and answered. No new item may come meanwhile.
func (b *batcher[T]) wait() { b.flying.Wait() }
