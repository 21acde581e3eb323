package deadletter

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
)

const (
	parcelWait = 100 * time.Millisecond // how long a parcel waits for more letters
	parcelSize = 4 << 20                // bytes from which it does not
	putTimeout = time.Minute
	suffix     = ".ndjson.gz"
)

// bucket keeps letters in objects of gzipped JSON lines, named prefix/yyyy/mm/dd/reason/time-random.ndjson.gz. No two have
// one name, so none is ever overwritten. Letters of one reason that come at the same time share an object.
type bucket struct {
	name, prefix string // prefix is "" or ends in a slash
	client       func(region string) *s3.Client

	mu     sync.Mutex
	region string             // "" until S3 says that it is another than the account's
	open   map[string]*parcel // by reason
}

// parcel is an object in the making.
type parcel struct {
	reason string
	lines  bytes.Buffer
	once   sync.Once
	done   chan struct{} // closed when err is there
	err    error
}

// parseS3 reads s3://bucket/prefix.
func parseS3(text string) (name, prefix string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", "", fmt.Errorf("%q is no place in S3: write s3://bucket/prefix", text)
	}
	if prefix = strings.Trim(u.Path, "/"); prefix != "" {
		prefix += "/"
	}
	return u.Host, prefix, nil
}

// newBucket asks S3 nothing.
func newBucket(place string, config func(region string) aws.Config) (*bucket, error) {
	name, prefix, err := parseS3(place)
	if err != nil {
		return nil, err
	}
	if config("").Region == "" {
		return nil, errors.New("there is no region: set aws.region or AWS_REGION")
	}
	return &bucket{
		name: name, prefix: prefix, open: map[string]*parcel{},
		client: remembering(func(region string) *s3.Client { return awsconfig.S3(config(region)) }),
	}, nil
}

// remembering remembers the answers of f.
func remembering(f func(region string) *s3.Client) func(region string) *s3.Client {
	var mu sync.Mutex
	clients := map[string]*s3.Client{}
	return func(region string) *s3.Client {
		mu.Lock()
		defer mu.Unlock()
		if clients[region] == nil {
			clients[region] = f(region)
		}
		return clients[region]
	}
}

func (b *bucket) String() string { return "s3://" + b.name + "/" + b.prefix }

// Bury returns when S3 has taken the objects that hold the letters.
func (b *bucket) Bury(ctx context.Context, letters []pipeline.Letter) error {
	now := time.Now()
	lines := map[string]*bytes.Buffer{}
	for i := range letters {
		reason := reasonName(letters[i].Type)
		if lines[reason] == nil {
			lines[reason] = &bytes.Buffer{}
		}
		if err := appendLine(lines[reason], &letters[i], now); err != nil {
			return fmt.Errorf("encoding a letter: %w", err)
		}
	}
	parcels := make([]*parcel, 0, len(lines))
	for reason, text := range lines {
		parcels = append(parcels, b.join(ctx, reason, text.Bytes()))
	}
	var errs []error
	for _, p := range parcels {
		select {
		case <-p.done:
			errs = append(errs, p.err)
		case <-ctx.Done():
			errs = append(errs, context.Cause(ctx))
		}
	}
	return errors.Join(errs...)
}

// join puts lines into the parcel of their reason.
func (b *bucket) join(ctx context.Context, reason string, lines []byte) *parcel {
	ctx = context.WithoutCancel(ctx) // others share the parcel
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.open[reason]
	if p == nil {
		p = &parcel{reason: reason, done: make(chan struct{})}
		b.open[reason] = p
		time.AfterFunc(parcelWait, func() { b.send(ctx, p) })
	}
	p.lines.Write(lines)
	if p.lines.Len() >= parcelSize {
		delete(b.open, reason)
		go b.send(ctx, p)
	}
	return p
}

// send puts the parcel into S3, unless somebody did.
func (b *bucket) send(ctx context.Context, p *parcel) {
	b.mu.Lock()
	if b.open[p.reason] == p {
		delete(b.open, p.reason)
	}
	b.mu.Unlock()
	p.once.Do(func() {
		defer close(p.done)
		ctx, cancel := context.WithTimeout(ctx, putTimeout)
		defer cancel()
		now := time.Now().UTC()
		folder := b.prefix + now.Format("2006/01/02/") + p.reason
		p.err = b.put(ctx, objectKey(folder, now.Format(fileTime)), p.lines.Bytes())
	})
}

// objectKey is a key that no object has.
func objectKey(folder, stamp string) string { return folder + "/" + stamp + "-" + rand.Text() + suffix }

// put makes an object of the lines.
func (b *bucket) put(ctx context.Context, key string, lines []byte) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(lines); err != nil {
		return fmt.Errorf("compressing letters: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compressing letters: %w", err)
	}
	err := b.do(func(c *s3.Client) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{
			Bucket: aws.String(b.name), Key: aws.String(key), Body: bytes.NewReader(packed.Bytes()), ContentType: aws.String("application/gzip"),
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", b.name, key, err)
	}
	return nil
}

// do calls S3 in the bucket's region: the account's own, until S3 names another.
func (b *bucket) do(call func(*s3.Client) error) error {
	b.mu.Lock()
	region := b.region
	b.mu.Unlock()
	err := call(b.client(region))
	var answer *awshttp.ResponseError
	if err == nil || !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	right := answer.Response.Header.Get("x-amz-bucket-region")
	if right == "" || right == region {
		return err
	}
	b.mu.Lock()
	b.region = right
	b.mu.Unlock()
	return call(b.client(right))
}

// reasonName is a reason as a part of a key.
func reasonName(reason string) string {
	name := regexp.MustCompile(`[^a-z0-9_.-]+`).ReplaceAllString(strings.ToLower(reason), "-")
	if name = strings.Trim(name, ".-"); name == "" {
		return "unknown"
	}
	return name[:min(len(name), 64)]
}
