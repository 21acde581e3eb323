package source

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// noPayload is the SHA-256 of nothing, as the signature of a request without a body needs it.
	noPayload  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	plainRests = time.Minute // after S3 refused a plain request for what it gave the SDK
	service    = "s3"        // as signatures name it
	discarded  = 4 << 10     // of an answer that is not wanted, so that its connection can be used again
)

// plain gets objects by a single signed request, without the SDK's some fifty middlewares, which for a small object cost
// more than everything else together. It takes an answer of 200 and nothing else: whatever S3 says otherwise the caller
// hears from the SDK, which asks again and knows regions, retries, clocks and errors. The SDK still says where a bucket
// is, who asks, and over which connections; it also signs. It is safe for concurrent use.
type plain struct {
	options s3.Options
	signer  *v4.Signer
	rests   atomic.Int64 // until when nothing is asked, in Unix nanoseconds

	mu     sync.Mutex
	places map[string]place // by bucket
}

func newPlain(o s3.Options) *plain {
	signer := v4.NewSigner(func(so *v4.SignerOptions) { so.DisableURIPathEscaping = true })
	return &plain{options: o, signer: signer, places: map[string]place{}}
}

// get returns S3's answer, nil where the SDK has to ask. refused says that S3 found fault with the request.
func (p *plain) get(ctx context.Context, in *s3.GetObjectInput) (out *s3.GetObjectOutput, refused bool) {
	if time.Now().UnixNano() < p.rests.Load() {
		return nil, false
	}
	req, err := p.request(ctx, in)
	if err != nil || req == nil {
		return nil, false
	}
	res, err := p.options.HTTPClient.Do(req)
	if err != nil {
		return nil, false
	}
	if res.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, res.Body, discarded) // the SDK will hear it too
		_ = res.Body.Close()
		return nil, res.StatusCode/100 == 4
	}
	out = &s3.GetObjectOutput{Body: checkBody(res)}
	if res.ContentLength >= 0 {
		out.ContentLength = aws.Int64(res.ContentLength)
	}
	return out, false
}

// rest is called when S3 gave the SDK what it refused here: a clock that the SDK corrects, say.
func (p *plain) rest() { p.rests.Store(time.Now().Add(plainRests).UnixNano()) }

// request makes the signed request, nil where another signature than the usual one is wanted. Source: Amazon S3 API
// Reference, "GetObject" and "Authenticating Requests: Using the Authorization Header".
func (p *plain) request(ctx context.Context, in *s3.GetObjectInput) (*http.Request, error) {
	at, err := p.place(ctx, aws.ToString(in.Bucket))
	if err != nil || at.region == "" || p.options.Credentials == nil {
		return nil, err
	}
	creds, err := p.options.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	key := aws.ToString(in.Key)
	where := at.bucket
	where.Path += "/" + key
	where.RawPath += "/" + httpbinding.EscapePath(key, false)
	req := (&http.Request{Method: http.MethodGet, URL: &where, Host: where.Host, Header: http.Header{
		"Accept-Encoding":      {"identity"}, // net/http would inflate what is stored
		"User-Agent":           {"trailship"},
		"X-Amz-Content-Sha256": {noPayload},
	}}).WithContext(ctx)
	if p.options.ResponseChecksumValidation == aws.ResponseChecksumValidationWhenSupported {
		req.Header.Set("X-Amz-Checksum-Mode", "ENABLED")
	}
	if owner := aws.ToString(in.ExpectedBucketOwner); owner != "" {
		req.Header.Set("X-Amz-Expected-Bucket-Owner", owner)
	}
	return req, p.signer.SignHTTP(ctx, creds, req, noPayload, service, at.region, time.Now())
}

// place is where a bucket's objects are.
type place struct {
	bucket url.URL
	region string // that requests are signed for, "" where the usual signature does not do
}

// place asks the SDK's rules for the bucket's place, and remembers it.
func (p *plain) place(ctx context.Context, bucket string) (place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.places[bucket]; ok {
		return at, nil
	}
	o := p.options
	where, err := o.EndpointResolverV2.ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket: aws.String(bucket), Region: aws.String(o.Region),
		Endpoint: o.BaseEndpoint, ForcePathStyle: aws.Bool(o.UsePathStyle),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Accelerate:   aws.Bool(o.UseAccelerate), UseArnRegion: aws.Bool(o.UseARNRegion),
		DisableMultiRegionAccessPoints: aws.Bool(o.DisableMultiRegionAccessPoints),
		DisableS3ExpressSessionAuth:    o.DisableS3ExpressSessionAuth,
	})
	if err != nil {
		return place{}, fmt.Errorf("finding the address of bucket %s: %w", bucket, err)
	}
	at := place{bucket: where.URI, region: usualSignature(where)}
	at.bucket.RawPath = strings.TrimSuffix(at.bucket.EscapedPath(), "/")
	at.bucket.Path = strings.TrimSuffix(at.bucket.Path, "/")
	at.bucket.RawQuery = "x-id=GetObject"
	if len(p.places) >= maxRegions {
		clear(p.places)
	}
	p.places[bucket] = at
	return at, nil
}

// usualSignature returns the region that a request is signed for, "" when it is not signed as most are, but for all regions
// at once, or in a session that must be created before.
func usualSignature(e smithyendpoints.Endpoint) string {
	ways, _ := smithyauth.GetAuthOptions(&e.Properties)
	if len(ways) != 1 || strings.TrimPrefix(ways[0].SchemeID, "aws.auth#") != "sigv4" {
		return ""
	}
	if name, _ := smithyhttp.GetSigV4SigningName(&ways[0].SignerProperties); name != service {
		return ""
	}
	region, _ := smithyhttp.GetSigV4SigningRegion(&ways[0].SignerProperties)
	return region
}
