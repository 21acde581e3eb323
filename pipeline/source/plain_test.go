package source

import (
	"context"
	"encoding/base64"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/awsconfig"
)

// answers is an HTTP client that keeps what it was asked and gives the same answer always.
type answers struct {
	status int
	header http.Header
	body   string
	asked  []*http.Request
}

func (a *answers) Do(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r)
	return &http.Response{
		StatusCode: a.status, Header: a.header, ContentLength: int64(len(a.body)),
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// TestPlain_asksLikeTheSDK: the same address, the same scope of the signature, and every header that is no telemetry.
func TestPlain_asksLikeTheSDK(t *testing.T) {
	const logKey = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/x_Y.json.gz"
	for _, c := range []struct {
		name, region, bucket, key, owner string
		change                           func(*aws.Config)
	}{
		{name: "usual", region: "eu-west-1", bucket: "audit", key: logKey},
		{name: "first region", region: "us-east-1", bucket: "audit", key: logKey},
		{name: "China", region: "cn-north-1", bucket: "audit", key: logKey},
		{name: "government", region: "us-gov-west-1", bucket: "audit", key: logKey},
		{name: "sovereign", region: "eusc-de-east-1", bucket: "audit", key: logKey},
		{name: "dots", region: "eu-west-1", bucket: "logs.example.com", key: logKey},
		{name: "old bucket name", region: "us-east-1", bucket: "Audit_Logs", key: logKey},
		{name: "odd key", region: "eu-west-1", bucket: "audit", key: "a b/ü+%2F&=?#'()*/../~x//y.gz"},
		{name: "leading slash", region: "eu-west-1", bucket: "audit", key: "/a"},
		{name: "owner", region: "eu-west-1", bucket: "audit", key: logKey, owner: "111122223333"},
		{name: "session", region: "eu-west-1", bucket: "audit", key: logKey, change: func(c *aws.Config) {
			c.Credentials = credentials.NewStaticCredentialsProvider("AKID", "secret", "a session's token")
		}},
		{name: "checksums", region: "eu-west-1", bucket: "audit", key: logKey, change: func(c *aws.Config) {
			c.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
		}},
		{name: "own endpoint", region: "eu-west-1", bucket: "audit", key: logKey, change: func(c *aws.Config) {
			c.BaseEndpoint = aws.String("http://127.0.0.1:9000/s3/")
		}},
		{name: "interface endpoint", region: "eu-west-1", bucket: "audit", key: logKey, change: func(c *aws.Config) {
			c.BaseEndpoint = aws.String("https://bucket.vpce-0a1b-2c3d.s3.eu-west-1.vpce.amazonaws.com")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := &answers{status: 200, body: "x"}
			config := aws.Config{Region: c.region, HTTPClient: at, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}
			if c.change != nil {
				c.change(&config)
			}
			in := &s3.GetObjectInput{Bucket: aws.String(c.bucket), Key: aws.String(c.key)}
			if c.owner != "" {
				in.ExpectedBucketOwner = aws.String(c.owner)
			}
			sdk := awsconfig.S3(config)
			if _, err := sdk.GetObject(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if out, _ := newPlain(sdk.Options()).get(t.Context(), in); out == nil {
				t.Fatal("it left the question to the SDK")
			}
			want, got := at.asked[0], at.asked[1]
			if got.URL.String() != want.URL.String() || got.Host != want.Host && want.Host != "" {
				t.Errorf("asked %s at %s, want %s at %s", got.URL, got.Host, want.URL, want.Host)
			}
			if diff := cmp.Diff(essential(want), essential(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// essential is what S3 goes by: all headers but telemetry, times and what depends on them.
func essential(r *http.Request) map[string]string {
	all := map[string]string{}
	for name, values := range r.Header {
		if name != "User-Agent" && name != "X-Amz-Date" && !strings.HasPrefix(name, "Amz-Sdk-") {
			all[name] = strings.Join(values, ",")
		}
	}
	all["Authorization"] = regexp.MustCompile(`SignedHeaders=.*`).ReplaceAllString(all["Authorization"], "")
	return all
}

func TestPlain_leavesToTheSDK(t *testing.T) {
	in := &s3.GetObjectInput{Bucket: aws.String("audit"), Key: aws.String("a")}
	for _, c := range []struct {
		name    string
		status  int
		bucket  string
		change  func(*s3.Options)
		refused bool
		asked   int
	}{
		{name: "denied", status: 403, refused: true, asked: 1},
		{name: "gone", status: 404, refused: true, asked: 1},
		{name: "elsewhere", status: 301, asked: 1},
		{name: "busy", status: 503, asked: 1},
		{name: "a part", status: 206, asked: 1},
		{name: "no credentials", change: func(o *s3.Options) { o.Credentials = nil }},
		{name: "anonymous", change: func(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} }},
		{name: "a directory bucket has sessions", bucket: "audit--euw1-az1--x-s3"},
		{name: "no region", change: func(o *s3.Options) { o.Region = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := &answers{status: c.status, body: "<Error/>"}
			o := s3.New(s3.Options{Region: "eu-west-1", HTTPClient: at, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}).Options()
			if c.change != nil {
				c.change(&o)
			}
			ask := *in
			if c.bucket != "" {
				ask.Bucket = aws.String(c.bucket)
			}
			out, refused := newPlain(o).get(t.Context(), &ask)
			if out != nil || refused != c.refused || len(at.asked) != c.asked {
				t.Errorf("got %v, refused %v, asked %d times, want nil, %v, %d", out, refused, len(at.asked), c.refused, c.asked)
			}
		})
	}
}

// TestPlain_rests: where S3 gives the SDK what it refuses a plain request, it is not asked plainly each time.
func TestPlain_rests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := &answers{status: 200}
		o := s3.New(s3.Options{Region: "eu-west-1", HTTPClient: at, Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", "")}).Options()
		p := newPlain(o)
		ask := func() bool {
			out, _ := p.get(context.Background(), &s3.GetObjectInput{Bucket: aws.String("audit"), Key: aws.String("a")})
			return out != nil
		}
		p.rest()
		if ask() {
			t.Error("asked at once, want a pause")
		}
		time.Sleep(plainRests)
		if !ask() {
			t.Error("not asked any more")
		}
	})
}

func TestCheckBody(t *testing.T) {
	const text = "123456789"
	damaged := strings.Replace(text, "5", "6", 1)
	for _, c := range []struct {
		name, header, sum string
		checks            bool
	}{
		// The check values of the catalogue of CRC algorithms, and of sha1sum and sha256sum.
		{"crc32", "x-amz-checksum-crc32", "y/Q5Jg==", true},
		{"crc32c", "x-amz-checksum-crc32c", "4waSgw==", true},
		{"crc64nvme", "x-amz-checksum-crc64nvme", "rosUhgp5mIg=", true},
		{"sha1", "x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=", true},
		{"sha256", "x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", true},
		{"none", "", "", false},
		{"of parts", "x-amz-checksum-crc32", "y/Q5Jg==-3", false},
		{"unknown", "x-amz-checksum-xxhash", "AAAA", false},
		{"of another length", "x-amz-checksum-crc32", base64.StdEncoding.EncodeToString(make([]byte, crc32.Size+1)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for body, good := range map[string]bool{text: true, damaged: !c.checks} {
				res := &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
				res.Header.Set(c.header, c.sum)
				got, err := io.ReadAll(checkBody(res))
				if string(got) != body || (err == nil) != good {
					t.Errorf("of %s got %s and %v, want good: %v", body, got, err, good)
				}
			}
		})
	}
}
