package source_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/test/standin"
)

func TestObjects_lost(t *testing.T) {
	t.Parallel()
	whole := logFile("1", "2")
	for _, c := range []struct {
		name   string
		body   []byte // nil: there is no object
		fault  standin.S3Fault
		reason string
	}{
		{name: "gone", reason: "no_such_key"},
		{name: "gone, no body", fault: standin.S3Fault{Status: 404}, reason: "no_such_key"},
		{name: "deleted version", fault: standin.S3Fault{Status: 405, Code: "MethodNotAllowed"}, reason: "delete_marker"},
		{name: "archived", fault: standin.S3Fault{Status: 403, Code: "InvalidObjectState"}, reason: "archived"},
		{name: "truncated", body: whole[:len(whole)-20], reason: "truncated"},
		{name: "text", body: []byte("<html>not here</html>"), reason: "not_cloudtrail"},
		{name: "damaged", body: append(append([]byte{}, whole[:len(whole)-8]...), "checksum"...), reason: "corrupt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.s3.AddBucket("audit", "")
			if c.body != nil {
				r.s3.Put("audit", key("a"), c.body)
			}
			if c.fault.Status != 0 {
				r.onGets(c.fault)
			}
			r.sqs.Send("q", standin.Notice("audit", key("a"), int64(len(c.body))))
			r.start(t)
			d := r.receive(t)
			got := drain(t, d)
			if got.err != nil || len(got.lost) != 1 || got.lost[0].Reason != c.reason {
				t.Fatalf("got %v and %v, want an object lost as %s", got.err, got.lost, c.reason)
			}
			if o := got.lost[0].Object; o == nil || o.Bucket != "audit" || o.Key != key("a") {
				t.Errorf("the lost object is %+v", o)
			}
			want := 3
			if c.body == nil || c.fault.Status != 0 {
				want++ // plainly first, which is not believed
			}
			if gets := r.s3.Gets("audit", key("a")); gets != want {
				t.Errorf("asked for %d times, want %d", gets, want)
			}
			if got := r.count(t, "trailship_objects_total", "log", "lost"); got != 1 {
				t.Errorf("%v counted as lost, want 1", got)
			}
			settle(t, d, nil)
		})
	}
}

func TestObjects_theOthersGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s3.Put("audit", key("good"), logFile("1"))
	r.sqs.Send("q", fmt.Sprintf(`{"s3Bucket":"audit","s3ObjectKey":[%q,%q]}`, key("gone"), key("good")))
	r.start(t)
	d := r.receive(t)
	got := drain(t, d)
	if len(got.lost) != 1 || got.err != nil || !cmp.Equal(got.events, []string{"1"}) {
		t.Errorf("got %+v, want one object lost and the other read", got)
	}
	settle(t, d, nil)
}

func TestObjects_comeBack(t *testing.T) {
	t.Parallel()
	denied := func(message string) standin.S3Fault {
		return standin.S3Fault{Status: 403, Code: "AccessDenied", Message: message}
	}
	for _, c := range []struct {
		name   string
		fault  standin.S3Fault
		advice string
		gets   int // the plain one and the SDK's
	}{
		{"denied", denied("Access Denied"), "allow s3:GetObject", 2},
		{"denied by KMS", denied("User: x is not authorized to perform: kms:Decrypt on the resource"), "allow kms:Decrypt", 2},
		{"key disabled", standin.S3Fault{Status: 400, Code: "KMS.DisabledException"}, "look at the state of the bucket's KMS key", 2},
		{"no bucket", standin.S3Fault{Status: 404, Code: "NoSuchBucket"}, "the bucket does not exist", 2},
		{"expired", standin.S3Fault{Status: 400, Code: "ExpiredToken"}, "renew them", 7}, // with credentials read again
		{"unavailable", standin.S3Fault{Status: 503, Code: "SlowDown"}, "reading s3://audit/", 7},
		{"key throttled", standin.S3Fault{Status: 400, Code: "KMS.ThrottlingException"}, "reading s3://audit/", 7},
		{"the connection breaks", standin.S3Fault{Cut: 10}, "the transfer broke off", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.put("a", logFile("1", "2"))
			r.onGets(c.fault)
			r.start(t)
			d := r.receive(t)
			r.stop()
			got := drain(t, d)
			if got.err == nil || len(got.lost) > 0 || !strings.Contains(got.err.Error(), c.advice) {
				t.Fatalf("got %v, lost %v, want a failed delivery that says %q", got.err, got.lost, c.advice)
			}
			if gets := r.s3.Gets("audit", key("a")); gets != c.gets {
				t.Errorf("asked for %d times, want %d", gets, c.gets)
			}
			settle(t, d, got.err)
			if r.sqs.VisibleIn("q", id) == 0 || len(r.sqs.Deleted("q")) > 0 {
				t.Error("want the message back in the queue with a delay")
			}
		})
	}
}

// large is a log file too large to be read whole, and its eventIDs.
func large() (body []byte, ids []string) {
	var text strings.Builder
	text.WriteString(`{"Records":[`)
	for i := range 400 {
		if i > 0 {
			text.WriteByte(',')
		}
		ids = append(ids, strconv.Itoa(i))
		fmt.Fprintf(&text, `{"eventVersion":"1.08","eventID":"%d","requestParameters":{"x":%q}}`, i, strings.Repeat("x", 25_000))
	}
	text.WriteString(`]}`)
	return zipped(text.String(), gzip.NoCompression), ids
}

func TestObjects_large(t *testing.T) {
	t.Parallel()
	body, ids := large()
	if len(body) < 9<<20 {
		t.Fatalf("the file has %d bytes only", len(body))
	}
	for _, c := range []struct {
		name string
		size int64 // as announced
		cuts int32 // how many gets break off in the middle
		fail bool
	}{
		{"at once", int64(len(body)), 0, false},
		{"larger than announced", 10, 0, false},
		{"broken off twice", int64(len(body)), 2, false},
		{"broken off each time", int64(len(body)), 99, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.s3.Put("audit", key("large"), body)
			r.sqs.Send("q", standin.Notice("audit", key("large"), c.size))
			var gets atomic.Int32
			r.s3.Fault = func(string, string, string) *standin.S3Fault {
				if n := gets.Add(1); n <= c.cuts {
					return &standin.S3Fault{Cut: int(n) * len(body) / 4}
				}
				return nil
			}
			r.start(t)
			d := r.receive(t)
			got := drain(t, d)
			if (got.err != nil) != c.fail || len(got.lost) > 0 || got.refused > 0 {
				t.Fatalf("got %v, lost %v, %d refused", got.err, got.lost, got.refused)
			}
			want := ids
			if c.fail {
				want = ids[:len(got.events)]
			}
			if diff := cmp.Diff(want, got.events); diff != "" {
				t.Errorf("each event is given once and in order, -want +got:\n%s", diff)
			}
			settle(t, d, got.err)
		})
	}
}

func TestObjects_anotherRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, said string }{
		{"said rightly", "us-east-2"},
		{"said wrongly", "ap-south-1"},
		{"said as nonsense", "evil.example/"},
		{"not said", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.s3.AddBucket("audit", "us-east-2")
			r.s3.Put("audit", key("a"), logFile("1"))
			r.s3.Put("audit", key("b"), logFile("2"))
			var answers atomic.Int32
			r.s3.Fault = func(string, string, string) *standin.S3Fault { answers.Add(1); return nil }
			for _, name := range []string{"a", "b"} {
				r.sqs.Send("q", strings.Replace(standin.Notice("audit", key(name), 100), `"awsRegion":"eu-west-1"`, `"awsRegion":"`+c.said+`"`, 1))
			}
			r.start(t)
			for range 2 {
				d := r.receive(t)
				got := drain(t, d)
				if got.err != nil || len(got.events) != 1 || got.objects[0].Region != "us-east-2" {
					t.Fatalf("got %+v", got)
				}
				settle(t, d, nil)
			}
			if n := answers.Load(); n > 4 { // wrongly: plainly and through the SDK
				t.Errorf("%d requests for two objects: the region is not remembered", n)
			}
		})
	}
}

func TestObjects_regionAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s3.AddBucket("audit", "us-east-2")
	r.s3.Put("audit", key("a"), logFile("1"))
	r.s3.Fault = func(method, _, _ string) *standin.S3Fault { // the answer names no region: it has to be asked for
		if method == http.MethodGet && r.s3.Gets("audit", key("a")) == 0 {
			return &standin.S3Fault{Status: 400, Code: "AuthorizationHeaderMalformed"}
		}
		return nil
	}
	r.sqs.Send("q", standin.Notice("audit", key("a"), 100))
	r.start(t)
	d := r.receive(t)
	if got := drain(t, d); got.err != nil || len(got.events) != 1 {
		t.Errorf("got %+v", got)
	}
	settle(t, d, nil)
}

func TestObjects_stopEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put("a", logFile("1", "2", "3"))
	r.start(t)
	d := r.receive(t)
	seen := 0
	for _, err := range d.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("%d records after a break", seen)
	}
	settle(t, d, errors.New("no more"))
}

func TestObjects_counted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := logFile("1")
	r.put("a", body)
	r.start(t)
	d := r.receive(t)
	drain(t, d)
	settle(t, d, nil)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"trailship_object_bytes_total", nil, float64(len(body))},
		{"trailship_objects_total", []string{"log", "read"}, 1},
		{"trailship_messages_total", []string{"received"}, 1},
		{"trailship_messages_total", []string{"deleted"}, 1},
		{"trailship_messages_total", []string{"returned"}, 0},
	} {
		if got := r.count(t, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v = %v, want %v", c.name, c.labels, got, c.want)
		}
	}
}
