package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/trailship/trailship/pipeline/awsconfig"
)

// MaxRedriveRate is the most messages a second that SQS moves. Source: Amazon SQS API Reference, "StartMessageMoveTask".
const MaxRedriveRate = 500

const redrivePoll = time.Second

// Redrive moves the messages of a dead-letter queue back to the queue they came from. Where the service can do it by itself
// it is asked to; of others the messages are received, sent and deleted one by one, which may double a notice when it is
// interrupted, but never loses one. Use it once.
type Redrive struct {
	QueueURL string // of the dead-letter queue
	To       string // URL of the queue to move to; "": the one whose dead-letter queue it is
	Rate     int    // messages a second, 1 to MaxRedriveRate
	// Report is called about once a second. Total is what was in the queue at the beginning, as far as the service knows.
	Report func(moved, total int64)

	api     *sqs.Client
	region  string
	arn, to string
	moved   int64
	total   int64
}

// Open connects to the queue's region. It asks AWS nothing.
func (r *Redrive) Open(account *awsconfig.Loader) error {
	q := QueueConfig{QueueURL: r.QueueURL, VisibilityTimeout: DefaultVisibility}
	if err := q.Validate(); err != nil {
		return err
	}
	if r.Rate < 1 || r.Rate > MaxRedriveRate {
		return fmt.Errorf("%d messages a second is no rate: write 1 to %d", r.Rate, MaxRedriveRate)
	}
	region, endpoint := q.endpoint()
	if region == "" {
		region = account.Region()
	}
	if region == "" {
		return fmt.Errorf("%s names no region: set AWS_REGION", r.QueueURL)
	}
	r.region = region
	r.api = sqs.NewFromConfig(account.Config(region, awsconfig.Role{}), func(so *sqs.Options) {
		if so.BaseEndpoint == nil && endpoint != "" {
			so.BaseEndpoint = aws.String(endpoint)
		}
	})
	return nil
}

// Run moves messages until there are none left, or until ctx ends: then it stops the service's moving too. It returns how
// many were moved.
func (r *Redrive) Run(ctx context.Context) (moved int64, err error) {
	if r.arn, r.total, err = r.attributes(ctx, r.QueueURL); err != nil {
		return 0, err
	}
	in := &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(r.arn), MaxNumberOfMessagesPerSecond: aws.Int32(int32(r.Rate))}
	if r.To != "" {
		if r.to, _, err = r.attributes(ctx, r.To); err != nil {
			return 0, err
		}
		in.DestinationArn = aws.String(r.to)
	}
	task, err := r.api.StartMessageMoveTask(ctx, in)
	switch {
	case err == nil:
		err = r.follow(ctx, aws.ToString(task.TaskHandle))
	case unsupported(err):
		err = r.move(ctx)
	default:
		err = fmt.Errorf("starting to move the messages of %s: %w", r.QueueURL, r.advise(err))
	}
	return r.moved, err
}

// attributes are a queue's ARN and how many messages can be received from it.
func (r *Redrive) attributes(ctx context.Context, url string) (arn string, messages int64, err error) {
	out, err := r.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameQueueArn, types.QueueAttributeNameApproximateNumberOfMessages,
	}})
	if err != nil {
		return "", 0, fmt.Errorf("reading the attributes of %s: %w", url, r.advise(err))
	}
	if _, err := fmt.Sscan(out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)], &messages); err != nil {
		messages = 0 // only shown
	}
	return out.Attributes[string(types.QueueAttributeNameQueueArn)], messages, nil
}

func (r *Redrive) advise(err error) error {
	if strings.HasPrefix(code(err), "AccessDenied") {
		return advised(err, "allow what deploy/iam/replay-policy.json allows")
	}
	return adviseSQS(err, r.region)
}

// unsupported reports whether the service does not know how to move messages, as emulators and older services do not.
func unsupported(err error) bool {
	c := code(err)
	for _, known := range []string{"UnsupportedOperation", "InvalidAction", "UnknownOperation", "NotImplemented", "UnknownOperationException"} {
		if c == known || strings.HasSuffix(c, "."+known) {
			return true
		}
	}
	return false
}

// follow reports what the service does until it is done.
func (r *Redrive) follow(ctx context.Context, handle string) error {
	poll := time.NewTicker(redrivePoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), r.cancel(context.WithoutCancel(ctx), handle))
		case <-poll.C:
		}
		done, err := r.look(ctx)
		if ctx.Err() == nil && (done || err != nil) {
			return err
		}
	}
}

// look asks how far the moving is.
func (r *Redrive) look(ctx context.Context) (done bool, err error) {
	out, err := r.api.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(r.arn)})
	if err != nil {
		return false, fmt.Errorf("asking how far the moving is, which goes on: %w", r.advise(err))
	}
	if len(out.Results) == 0 {
		return false, nil
	}
	latest := out.Results[0] // the newest comes first
	r.moved, r.total = latest.ApproximateNumberOfMessagesMoved, max(r.total, aws.ToInt64(latest.ApproximateNumberOfMessagesToMove))
	r.Report(r.moved, r.total)
	switch aws.ToString(latest.Status) {
	case "COMPLETED":
		return true, nil
	case "FAILED":
		return true, fmt.Errorf("moving the messages of %s: the service gave up: %s", r.QueueURL, aws.ToString(latest.FailureReason))
	case "CANCELLED":
		return true, fmt.Errorf("moving the messages of %s: somebody cancelled it", r.QueueURL)
	}
	return false, nil
}

// cancel stops what the service does.
func (r *Redrive) cancel(ctx context.Context, handle string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	out, err := r.api.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String(handle)})
	if err != nil {
		return fmt.Errorf("cancelling the moving, which goes on: %w", r.advise(err))
	}
	r.moved = out.ApproximateNumberOfMessagesMoved
	return nil
}

// move moves messages by hand.
func (r *Redrive) move(ctx context.Context) error {
	to, err := r.destination(ctx)
	if err != nil {
		return err
	}
	pace := time.NewTicker(time.Second / time.Duration(r.Rate))
	defer pace.Stop()
	reported := time.Now()
	for {
		out, err := r.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(r.QueueURL), MaxNumberOfMessages: batchSize, WaitTimeSeconds: 2, VisibilityTimeout: 60,
			MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return fmt.Errorf("receiving from %s: %w", r.QueueURL, r.advise(err))
		}
		if len(out.Messages) == 0 {
			r.Report(r.moved, r.total)
			return nil
		}
		for i := range out.Messages {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := r.moveOne(ctx, to, &out.Messages[i]); err != nil {
				return err
			}
		}
		if time.Since(reported) >= redrivePoll {
			reported = time.Now()
			r.Report(r.moved, r.total)
		}
	}
}

// moveOne sends a message on and then deletes it.
func (r *Redrive) moveOne(ctx context.Context, to string, m *types.Message) error {
	_, err := r.api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(to), MessageBody: m.Body, MessageAttributes: m.MessageAttributes})
	if err != nil {
		return fmt.Errorf("sending to %s: %w", to, r.advise(err))
	}
	_, err = r.api.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{QueueUrl: aws.String(r.QueueURL), ReceiptHandle: m.ReceiptHandle})
	if err != nil {
		return fmt.Errorf("deleting from %s: %w", r.QueueURL, r.advise(err))
	}
	r.moved++
	return nil
}

// destination is the queue to move to: the only one that has this one for its dead letters, unless To says it.
func (r *Redrive) destination(ctx context.Context) (string, error) {
	if strings.HasSuffix(r.QueueURL, ".fifo") {
		return "", errors.New("the service cannot move messages of a FIFO queue, and trailship does not: move them by hand")
	}
	if r.To != "" {
		return r.To, nil
	}
	out, err := r.api.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: aws.String(r.QueueURL)})
	if err != nil {
		return "", fmt.Errorf("finding the queue that %s is for, name it with --to: %w", r.QueueURL, r.advise(err))
	}
	if len(out.QueueUrls) != 1 {
		return "", fmt.Errorf("%s is the dead-letter queue of %d queues: name one with --to", r.QueueURL, len(out.QueueUrls))
	}
	return out.QueueUrls[0], nil
}
