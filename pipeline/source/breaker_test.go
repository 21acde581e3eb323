package source

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// s3Answer is an error of S3's as the SDK gives it.
func s3Answer(status int, code, message string) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

var (
	errForbidden = s3Answer(403, "AccessDenied", "Access Denied")
	errBusy      = s3Answer(503, "SlowDown", "Reduce your request rate")
	errExpired   = s3Answer(400, "ExpiredToken", "The provided token has expired")
)

func testBreakers(inFlight int) (*breakers, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return newBreakers("q", inFlight, zap.New(core), NewMetrics(prometheus.NewRegistry())), logs
}

// read reads an object of the bucket with this end and reports whether S3 was asked.
func (b *breakers) read(bucket string, err error) (asked bool) {
	v, refused := b.enter(bucket)
	if refused != nil {
		return false
	}
	defer v.end()
	if err == nil {
		v.worked()
	} else {
		v.failed(err)
	}
	return true
}

func (b *breakers) state(bucket string) string {
	for _, s := range b.list() {
		if s.Bucket == bucket {
			return s.State
		}
	}
	return "well"
}

func TestBreakers_opens(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		every time.Duration
		reads int
		want  string
	}{
		{"two refusals", errForbidden, time.Minute, 2, "failing"},
		{"three in no time", errForbidden, 0, 3, "failing"},
		{"three refusals", errForbidden, time.Second, 3, "open"},
		{"a disabled key", s3Answer(400, "KMS.DisabledException", "it is disabled"), time.Second, 3, "open"},
		{"no such bucket", s3Answer(404, "NoSuchBucket", ""), time.Second, 3, "open"},
		{"no such region", s3Answer(301, "PermanentRedirect", ""), time.Second, 3, "open"},
		{"a throttled key passes", s3Answer(400, "KMS.ThrottlingException", ""), time.Second, 10, "failing"},
		{"a fault of ten seconds passes", errBusy, time.Second, 10, "failing"},
		{"a fault of half a minute", errBusy, 10 * time.Second, 4, "open"},
		{"no network", errors.New("dial tcp: connection refused"), 10 * time.Second, 4, "open"},
		{"no answer", errSilent, 30 * time.Second, 3, "open"},
		{"our credentials say nothing about it", errExpired, time.Minute, 100, "well"},
		{"nor does a clock", s3Answer(403, "RequestTimeTooSkewed", ""), time.Minute, 100, "well"},
		{"nor that there are none", errors.New("get identity: get credentials: no EC2 role"), time.Minute, 100, "well"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, logs := testBreakers(0)
				for i := range c.reads {
					if i > 0 {
						pass(c.every)
					}
					b.read("b", c.err)
				}
				if got := b.state("b"); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				want := 0
				if c.want == "open" {
					want = 1
				}
				if got := logs.Len(); got != want {
					t.Errorf("%d log lines, want %d: %v", got, want, logs.All())
				}
				if b.state("other") != "well" {
					t.Error("another bucket is touched")
				}
			})
		})
	}
}

func TestBreakers_aSuccessBetweenThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := testBreakers(0)
		for range 1000 {
			for range 3 {
				b.read("b", errForbidden)
			}
			pass(time.Second)
			b.read("b", nil)
		}
		if got := b.state("b"); got != "well" {
			t.Errorf("got %s, want well: every fourth read works", got)
		}
	})
}

// open makes the bucket sick.
func (b *breakers) open(bucket string) {
	for range 3 {
		b.read(bucket, errForbidden)
		pass(time.Second)
	}
}

func TestBreakers_probes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, logs := testBreakers(0)
		b.open("b")
		start, asked := time.Now(), 0
		for range 3600 { // a message a second for an hour
			pass(time.Second)
			if b.admit("b") != nil {
				continue
			}
			if b.read("b", errForbidden) {
				asked++
			}
			b.leave("b")
		}
		if asked < 10 || asked > 20 {
			t.Errorf("asked S3 %d times in %v, want about 15", asked, time.Since(start))
		}
		pass(lastProbe)
		v, err := b.enter("b")
		if err != nil || b.state("b") != "half_open" {
			t.Fatalf("got %v, state %s: want one try after %v", err, b.state("b"), lastProbe)
		}
		if b.admit("b") == nil || b.read("b", nil) {
			t.Error("two tries at a time")
		}
		v.end() // without a verdict, as at shutdown
		if !b.read("b", nil) || b.state("b") != "well" {
			t.Errorf("state %s after a try that worked", b.state("b"))
		}
		if got := logs.Len(); got != 2 {
			t.Errorf("%d log lines, want one at open and one at close: %v", got, logs.All())
		}
		if err := b.admit("b"); err != nil {
			t.Errorf("put off when well: %v", err)
		}
	})
}

func TestBreakers_share(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := testBreakers(40)
		admitted := func(bucket string) (n int) {
			for range 100 {
				if b.admit(bucket) == nil {
					n++
				}
			}
			for range n {
				b.leave(bucket)
			}
			return n
		}
		if n := admitted("only"); n != 100 {
			t.Errorf("%d of a bucket that works, want all: it may be the only one", n)
		}
		for range suspectAfter {
			b.read("sick", errBusy)
		}
		if n := admitted("sick"); n != 10 {
			t.Errorf("%d of a bucket that fails, want a quarter of 40", n)
		}
		if n := admitted("only"); n != 100 {
			t.Errorf("%d of the other bucket, want all", n)
		}
		b.read("sick", nil)
		if n := admitted("sick"); n != 100 {
			t.Errorf("%d of a bucket that works again, want all", n)
		}
		if len(b.held) != 0 {
			t.Errorf("still counted: %v", b.held)
		}
	})
}

func TestBreakers_bounded(t *testing.T) {
	b, _ := testBreakers(0)
	for i := range 3 * maxSick {
		b.read(string(rune('a'+i)), errForbidden)
	}
	if n := len(b.list()); n > maxSick {
		t.Errorf("%d buckets are watched, want %d at most: a notice may name any", n, maxSick)
	}
}

func TestDelays(t *testing.T) {
	span := func(delay func(int) time.Duration, from int) (sum time.Duration) {
		for n := from; n <= 4; n++ {
			sum += delay(n)
		}
		return sum
	}
	for range 1000 {
		if got := span(sickDelay, 1); got < 12*time.Hour {
			t.Fatalf("five receives of a sick bucket's message span %v, want 12 h", got)
		}
		if got := span(sickDelay, 2); got < 12*time.Hour {
			t.Fatalf("four receives span %v, want 12 h also when the first one was spent before", got)
		}
		if got := span(failedDelay, 1); got < 3*time.Hour {
			t.Fatalf("five receives of a failing message span %v, want hours", got)
		}
		for n := range 10 {
			if got := sickDelay(n); got < 15*time.Minute || got > 6*time.Hour {
				t.Fatalf("after receive %d: %v, want 15 min to 6 h", n, got)
			}
		}
	}
}

func TestMessage_allowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &message{received: time.Now()}
		if got := m.allowed(6 * time.Hour); got != 6*time.Hour {
			t.Errorf("got %v, want all of it", got)
		}
		pass(11 * time.Hour)
		if got := m.allowed(6 * time.Hour); got != time.Hour-holdMargin {
			t.Errorf("got %v, want what is left of 12 h: SQS refuses more", got)
		}
		pass(2 * time.Hour)
		if got := m.allowed(time.Hour); got != 0 {
			t.Errorf("got %v, want 0", got)
		}
	})
}
