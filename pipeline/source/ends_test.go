package source_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/test/standin"
)

const twoRecords = `{"Records":[{"eventVersion":"1.08","eventID":"1"},{"eventVersion":"1.08","eventID":"2"}]}`

func TestObjects_compressions(t *testing.T) {
	t.Parallel()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		body []byte
	}{
		{"gzip", zipped(twoRecords, gzip.BestSpeed)},
		{"zstd", z.EncodeAll([]byte(twoRecords), nil)},
		{"plain", []byte(twoRecords)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.put("a", c.body)
			r.start(t)
			d := r.receive(t)
			got := drain(t, d)
			if diff := cmp.Diff([]string{"1", "2"}, got.events); diff != "" || got.err != nil || len(got.lost) > 0 {
				t.Errorf("got %v, lost %v; events -want +got:\n%s", got.err, got.lost, diff)
			}
			settle(t, d, nil)
		})
	}
}

// oddKeys are names that S3's form encoding, and only it, changes.
func oddKeys() map[string]string {
	return map[string]string{
		"space": "team one/", "plus": "a+b/", "equals": "day=03/", "percent": "100%/", "looks encoded": "a%2Bb+c%20d/",
		"not ASCII": "Prüfung/記録/",
	}
}

func TestSQS_keys(t *testing.T) {
	t.Parallel()
	for name, prefix := range oddKeys() {
		object := prefix + key("a")
		bridge := fmt.Sprintf(`{"detail-type":"Object Created","source":"aws.s3","account":"111122223333","region":"eu-west-1",
			"detail":{"bucket":{"name":"audit"},"object":{"key":%q,"size":100}}}`, object)
		for form, body := range map[string]string{
			"s3":          standin.Notice("audit", object, 100),
			"eventbridge": bridge,
			"cloudtrail":  sns(fmt.Sprintf(`{"s3Bucket":"audit","s3ObjectKey":[%q]}`, object)),
		} {
			t.Run(name+" from "+form, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				r.s3.Put("audit", object, logFile("1"))
				r.sqs.Send("q", body)
				r.start(t)
				d := r.receive(t)
				got := drain(t, d)
				if got.err != nil || len(got.lost) > 0 || len(got.events) != 1 {
					t.Fatalf("got %+v, want one event", got)
				}
				if key := got.objects[0].Key; key != object {
					t.Errorf("the record is said to be from %q, want %q", key, object)
				}
				settle(t, d, nil)
			})
		}
	}
}

func TestObjects_lostInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put("a", []byte(strings.TrimSuffix(twoRecords, `"2"}]}`)))
	r.start(t)
	d := r.receive(t)
	got := drain(t, d)
	if diff := cmp.Diff([]string{"1"}, got.events); diff != "" {
		t.Errorf("each record before the end is given once, -want +got:\n%s", diff)
	}
	if got.err != nil || len(got.lost) != 1 || got.lost[0].Reason != "truncated" || r.s3.Gets("audit", key("a")) != 3 {
		t.Errorf("got %v, lost %v after %d gets, want an object lost as truncated after 3", got.err, got.lost, r.s3.Gets("audit", key("a")))
	}
	settle(t, d, nil)
}

func TestObjects_aFaultPasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault standin.S3Fault
	}{
		{"unavailable", standin.S3Fault{Status: 503, Code: "SlowDown"}},
		{"internal error", standin.S3Fault{Status: 500, Code: "InternalError"}},
		{"broken off", standin.S3Fault{Cut: 10}},
		{"not there yet", standin.S3Fault{Status: 404, Code: "NoSuchKey"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.put("a", logFile("1", "2"))
			var gets atomic.Int32
			r.s3.Fault = func(string, string, string) *standin.S3Fault {
				if gets.Add(1) == 1 {
					return &c.fault
				}
				return nil
			}
			r.start(t)
			d := r.receive(t)
			got := drain(t, d)
			if diff := cmp.Diff([]string{"1", "2"}, got.events); diff != "" || got.err != nil || len(got.lost) > 0 {
				t.Errorf("got %v, lost %v; events -want +got:\n%s", got.err, got.lost, diff)
			}
			settle(t, d, nil)
		})
	}
}

func TestSQS_shutdownDelaysLittle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.put("a", logFile("1"))
	r.start(t)
	for range 2 { // comes back at once
		settle(t, r.receive(t), pipeline.ErrNotStarted)
	}
	d := r.receive(t)
	r.stop()
	settle(t, d, context.Canceled) // cut off by shutdown
	if left := r.sqs.VisibleIn("q", id); left < 2*time.Second || left > 13*time.Second {
		t.Errorf("after the third receive it comes back in %v, want about 10 s: another replica can have it", left)
	}
}

// roles is an STS in front of the stand-ins. It notes who was assumed, and with whose key each object was read.
type roles struct {
	next http.Handler
	mu   sync.Mutex
	seen map[string]string // external id by role, key id by object
}

func (s *roles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && r.FormValue("Action") == "AssumeRole" {
		role := r.FormValue("RoleArn")
		s.note(role, r.FormValue("ExternalId"))
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKID%s</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, role[len(role)-1:])
		return
	}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(credential, "/")
	if r.Method == http.MethodGet {
		s.note(r.URL.Path, id)
	}
	s.next.ServeHTTP(w, r)
}

func (s *roles) note(what, by string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[what] = by
}

func TestSQS_rolePerQueue(t *testing.T) {
	t.Parallel()
	queues, objects := standin.NewSQS(), standin.NewS3()
	sts := &roles{next: standin.AWS(queues, objects), seen: map[string]string{}}
	server := httptest.NewServer(sts)
	t.Cleanup(server.Close)
	r := &rig{sqs: queues, s3: objects, address: server.URL, registry: newRig(t).registry}
	const one, two = "arn:aws:iam::111122223333:role/1", "arn:aws:iam::444455556666:role/2"
	r.queue("q", standin.QueueOptions{}).AssumeRole = awsconfig.Role{ARN: one, ExternalID: "first"}
	r.queue("other", standin.QueueOptions{}).AssumeRole = awsconfig.Role{ARN: two, ExternalID: "second"}
	r.put("a", logFile("1"))
	r.s3.Put("audit", key("b"), logFile("2"))
	r.sqs.Send("other", standin.Notice("audit", key("b"), 100))
	r.start(t)
	for range 2 {
		d := r.receive(t)
		if got := drain(t, d); got.err != nil || len(got.events) != 1 {
			t.Errorf("got %+v", got)
		}
		settle(t, d, nil)
	}
	want := map[string]string{one: "first", two: "second", "/audit/" + key("a"): "AKID1", "/audit/" + key("b"): "AKID2"}
	sts.mu.Lock()
	defer sts.mu.Unlock()
	if diff := cmp.Diff(want, sts.seen); diff != "" {
		t.Errorf("who was assumed and who read, -want +got:\n%s", diff)
	}
}
