package paths

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Buckets lists the objects of buckets in any region.
type Buckets struct {
	client func(region string) *s3.Client
	home   string
}

// NewBuckets makes a lister of what gives a client for a region, and the region to begin with.
func NewBuckets(client func(region string) *s3.Client, home string) *Buckets {
	return &Buckets{client: client, home: home}
}

// List implements Lister.
func (b *Buckets) List(ctx context.Context, bucket, prefix string, f func(key string, size int64) bool) error {
	region, err := b.region(ctx, bucket)
	if err != nil {
		return err
	}
	pages := s3.NewListObjectsV2Paginator(b.client(region), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			if !f(aws.ToString(object.Key), aws.ToInt64(object.Size)) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// region is the bucket's region. S3 names it whoever asks and whatever else the answer is.
func (b *Buckets) region(ctx context.Context, bucket string) (string, error) {
	out, err := b.client(b.home).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(bucket)})
	if err == nil {
		if region := aws.ToString(out.BucketRegion); region != "" {
			return region, nil
		}
		return b.home, nil
	}
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.Response != nil {
		if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
			return region, nil
		}
		if answer.HTTPStatusCode() == 403 { // it may be listed all the same
			return b.home, nil
		}
	}
	return "", fmt.Errorf("finding the region of bucket %s: %w", bucket, err)
}
