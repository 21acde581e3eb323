package servers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// region is where moto's buckets and queues are.
const region = "us-east-1"

// AWS is a running moto: S3 that announces its objects to SQS.
type AWS struct {
	Endpoint string
	s3       *s3.Client
	sqs      *sqs.Client
}

// StartAWS starts moto from the folder that the script install filled. It ends with the test.
func StartAWS(t testing.TB, cache, logs, name string) *AWS {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	p := Start(t, logs, name, exec.CommandContext(t.Context(), filepath.Join(cache, "moto", "bin", "python"),
		filepath.Join("moto", "serve.py"), "-H", "127.0.0.1", "-p", "0"))
	match, err := p.Said(ctx, regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`))
	if err != nil {
		t.Fatal(err)
	}
	cfg := aws.Config{
		Region: region, BaseEndpoint: aws.String(match[1]),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	return &AWS{
		Endpoint: match[1],
		s3:       s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		sqs:      sqs.NewFromConfig(cfg),
	}
}

// Environ is what a program needs in its environment to use this AWS and no other.
func (a *AWS) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + a.Endpoint, "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// A Trail is a bucket that announces each new object to a queue.
type Trail struct {
	QueueURL string
	bucket   string
	aws      *AWS
}

// NewTrail makes a bucket and a queue of this name. The queue starts with the test event that S3 sends then.
func (a *AWS) NewTrail(ctx context.Context, name string) (*Trail, error) {
	if _, err := a.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		return nil, fmt.Errorf("making the bucket: %w", err)
	}
	queue, err := a.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("making the queue: %w", err)
	}
	_, err = a.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &name,
		NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: aws.String("arn:aws:sqs:" + region + ":123456789012:" + name),
			Events:   []s3types.Event{"s3:ObjectCreated:*"},
		}}},
	})
	if err != nil {
		return nil, fmt.Errorf("announcing the bucket's objects: %w", err)
	}
	return &Trail{QueueURL: *queue.QueueUrl, bucket: name, aws: a}, nil
}

// Put stores files under the keys that CloudTrail would give them. Each becomes one message in the queue, also when the
// object was there already.
func (t *Trail) Put(ctx context.Context, files []string) error {
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key := "AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/" + filepath.Base(file)
		_, err = t.aws.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &t.bucket, Key: &key, Body: bytes.NewReader(body),
			ContentType: aws.String("application/json"), ContentEncoding: aws.String("gzip"),
		})
		if err != nil {
			return fmt.Errorf("putting %s: %w", key, err)
		}
	}
	return nil
}

// Messages is the number of messages that the queue has, whether a consumer holds them or not.
func (t *Trail) Messages(ctx context.Context) (int, error) {
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	out, err := t.aws.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &t.QueueURL, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("asking how full the queue is: %w", err)
	}
	sum := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("reading the queue's %s: %w", name, err)
		}
		sum += n
	}
	return sum, nil
}
