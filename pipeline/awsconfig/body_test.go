package awsconfig_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline/awsconfig"
)

// early is an HTTP client that answers when it has read as much of a request's body as was announced, before it has looked
// whether there is more, as net/http does when the service is quick.
type early struct{ body io.ReadCloser }

func (e *early) Do(r *http.Request) (*http.Response, error) {
	e.body = r.Body
	if n, err := io.Copy(io.Discard, io.LimitReader(r.Body, r.ContentLength)); err != nil || n != r.ContentLength || n == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// TestLoad_body: what is left to do about a request's body when the answer has begun is no error, or net/http would close
// the connection that the answer is still read from.
func TestLoad_body(t *testing.T) {
	isolate(t)
	l, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: "eu-west-1", EndpointURL: "http://127.0.0.1:1"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	c, client := l.Config("", awsconfig.Role{}), &early{}
	c.HTTPClient = client
	if _, err = sqs.NewFromConfig(c).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("http://127.0.0.1:1/1/q")}); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, client.body); n != 0 || err != nil {
		t.Errorf("looking for more of the body: %d bytes and %v, want none", n, err)
	}
	if err := client.body.Close(); err != nil {
		t.Errorf("closing the body: %v", err)
	}
}
