package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/test/standin"
)

func sns(message string) string {
	return `{"Type":"Notification","MessageId":"m","Message":` + fmt.Sprintf("%q", message) + `}`
}

func TestSQS_forms(t *testing.T) {
	t.Parallel()
	const odd = "team one/a+b/" // what differs between encoded and plain keys
	trail := fmt.Sprintf(`{"s3Bucket":"audit","s3ObjectKey":[%q,%q]}`, odd+key("one"), odd+key("two"))
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"s3", standin.Notice("audit", odd+key("one"), 100), []string{"1"}},
		{"s3 through sns", sns(standin.Notice("audit", odd+key("one"), 100)), []string{"1"}},
		{"eventbridge", fmt.Sprintf(`{"detail-type":"Object Created","source":"aws.s3","account":"111122223333","region":"eu-west-1",
			"detail":{"bucket":{"name":"audit"},"object":{"key":%q,"size":100}}}`, odd+key("one")), []string{"1"}},
		{"cloudtrail", sns(trail), []string{"1", "2", "3"}},
		{"cloudtrail raw", trail, []string{"1", "2", "3"}},
		{"several with a digest among them", strings.Replace(standin.Notice("audit", odd+key("one"), 100), `"Records":[`, `"Records":[
			{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"audit"},"object":{"key":"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/02/03/d.json.gz"}}},
			{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"audit"},"object":{"key":"team+one%2Fa%2Bb%2F`+key("two")+`"}}},`, 1), []string{"2", "3", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.s3.Put("audit", odd+key("one"), logFile("1"))
			r.s3.Put("audit", odd+key("two"), logFile("2", "3"))
			id := r.sqs.Send("q", c.body)
			r.start(t)
			d := r.receive(t)
			got := drain(t, d)
			if got.err != nil || len(got.lost) > 0 {
				t.Fatalf("reading: %v %v", got.err, got.lost)
			}
			if diff := cmp.Diff(c.want, got.events); diff != "" {
				t.Errorf("events, -want +got:\n%s", diff)
			}
			if o := got.objects[0]; o.Bucket != "audit" || o.Region != home || o.Account != "111122223333" {
				t.Errorf("origin is %+v", o)
			}
			settle(t, d, nil)
			if diff := cmp.Diff([]string{id}, r.sqs.Deleted("q")); diff != "" {
				t.Errorf("deleted, -want +got:\n%s", diff)
			}
		})
	}
}

func TestSQS_nothingToRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		warns      bool
	}{
		{"test event", `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"audit"}`, false},
		{"validation", sns("CloudTrail validation message."), false},
		{"deletion", `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}`, false},
		{"digest", standin.Notice("audit", strings.Replace(key("d"), "CloudTrail", "CloudTrail-Digest", 1), 1), false},
		{"marker", standin.Notice("audit", "AWSLogs/111122223333/CloudTrail/", 0), false},
		{"excluded", standin.Notice("audit", "private/x", 1), false},
		{"subscription", `{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.invalid/"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.config.SQS[0].Keys.Exclude = []string{"private/**"}
			r.sqs.Send("q", c.body)
			r.start(t)
			awaits(t, "the message to be deleted", func() bool { return len(r.sqs.Deleted("q")) == 1 })
			if got := r.logs.FilterLevelExact(1).Len() > 0; got != c.warns { // 1: warn
				t.Errorf("warned: %v, want %v: %v", got, c.warns, r.logs.All())
			}
		})
	}
}

func TestSQS_leftToRedrive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, result string }{
		{"unknown form", `{"hello":"world, this is a secret"}`, "unknown"},
		{"foreign bucket", standin.Notice("theirs", key("x"), 1), "foreign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.config.SQS[0].Buckets = []string{"audit"}
			r.config.SQS[0].VisibilityTimeout = time.Minute
			id := r.sqs.Send("q", c.body)
			r.put("after", logFile("1")) // proves that the first one was handled
			r.start(t)
			settle(t, r.receive(t), nil)
			awaits(t, "the delay to be set", func() bool { return r.sqs.VisibleIn("q", id) > 0 })
			if r.sqs.Receives("q", id) != 1 || r.count(t, "trailship_messages_total", c.result) != 1 {
				t.Errorf("received %d times, counted %v as %s", r.sqs.Receives("q", id), r.count(t, "trailship_messages_total", c.result), c.result)
			}
			if left := r.sqs.VisibleIn("q", id); left < 50*time.Second {
				t.Errorf("it comes back in %v, want its visibility timeout at least", left)
			}
			warnings := r.logs.FilterLevelExact(1).All()
			if len(warnings) != 1 || strings.Contains(fmt.Sprint(warnings[0].ContextMap()), "secret") {
				t.Errorf("want one warning without the body, got %v", warnings)
			}
			if r.s3.Gets("theirs", key("x")) != 0 {
				t.Error("the object of a foreign bucket was asked for")
			}
		})
	}
}

func TestSQS_handsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		outcome  error
		min, max time.Duration
	}{
		{"a failure waits", errors.New("the sink is down"), 2 * time.Second, 13 * time.Second},
		{"not started comes at once", fmt.Errorf("draining: %w", pipeline.ErrNotStarted), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.put("a", logFile("1"))
			r.start(t)
			d := r.receive(t)
			r.stop() // so that it is not received again
			if got := fmt.Sprint(d); got != id {
				t.Errorf("the delivery is called %s, want %s", got, id)
			}
			settle(t, d, c.outcome)
			// A long poll that nobody waits for any more may still be given it, which shows as well that it came at once.
			again := c.max == 0 && r.sqs.Receives("q", id) == 2
			if left := r.sqs.VisibleIn("q", id); !again && (left < c.min || left > c.max) {
				t.Errorf("comes back in %v, want %v to %v", left, c.min, c.max)
			}
		})
	}
}

func TestSQS_sizeAndSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sqs.Send("q", standin.Notice("audit", key("a"), 5000))
	r.sqs.Send("q", standin.Notice("audit", key("b"), 1<<30))
	r.sqs.Send("q", fmt.Sprintf(`{"s3Bucket":"audit","s3ObjectKey":[%q]}`, key("c")))
	r.start(t)
	var got []int64
	for range 3 {
		d := r.receive(t)
		sized, ok := d.(pipeline.Sized)
		sent, alsoOK := d.(pipeline.Sent)
		if !ok || !alsoOK {
			t.Fatal("the delivery knows neither its size nor when it was sent")
		}
		if age := time.Since(sent.Sent()); age < -time.Second || age > time.Minute {
			t.Errorf("sent %v ago", age)
		}
		got = append(got, sized.Size())
		settle(t, d, nil)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]int64{5000, pipeline.UnknownSize, 8 << 20}, got); diff != "" {
		t.Errorf("sizes, -want +got:\n%s", diff)
	}
}

func TestSQS_heartbeat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.config.SQS[0].VisibilityTimeout = 6 * time.Second // room for a busy machine
	first, second := r.put("a", logFile("1")), r.put("b", logFile("2"))
	var beats atomic.Int32
	r.sqs.Observe = func(op string, entries int) {
		if op == "ChangeMessageVisibilityBatch" {
			beats.Add(int32(entries))
		}
	}
	start := time.Now()
	r.start(t)
	d := r.receive(t) // the other one waits in the source
	awaits(t, "two visibility timeouts to pass", func() bool { return beats.Load() >= 8 && time.Since(start) > 12*time.Second })
	for _, id := range []string{first, second} {
		if got := r.sqs.Receives("q", id); got != 1 {
			t.Errorf("%s was received %d times in two visibility timeouts, want once", id, got)
		}
	}
	settle(t, d, nil)
	settle(t, r.receive(t), nil)
	if got := len(r.sqs.Deleted("q")); got != 2 {
		t.Errorf("%d messages deleted, want 2", got)
	}
}

func TestSQS_deleteFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   standin.SQSFault
		times   int32
		deleted int
		calls   int32
	}{
		{"a stale handle is not tried again", standin.SQSFault{Entry: "ReceiptHandleIsInvalid", Sender: true}, 99, 0, 1},
		{"the service's fault passes", standin.SQSFault{Entry: "InternalError"}, 2, 1, 3},
		{"the service's fault stays", standin.SQSFault{Entry: "InternalError"}, 99, 0, 4},
		{"a refused call", standin.SQSFault{Status: 403, Code: "AccessDenied"}, 99, 0, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var calls atomic.Int32
			r.sqs.Fault = func(op string) *standin.SQSFault {
				if op != "DeleteMessageBatch" || calls.Add(1) > c.times {
					return nil
				}
				return &c.fault
			}
			r.put("a", logFile("1"))
			r.start(t)
			err := r.receive(t).Settle(t.Context(), nil)
			if (err == nil) != (c.deleted == 1) || len(r.sqs.Deleted("q")) != c.deleted || calls.Load() != c.calls {
				t.Errorf("got %v, %d deleted, %d calls; want %d deleted, %d calls", err, len(r.sqs.Deleted("q")), calls.Load(), c.deleted, c.calls)
			}
			if got := r.count(t, "trailship_messages_total", "deleted"); got != float64(c.deleted) {
				t.Errorf("%v counted as deleted, want %d", got, c.deleted)
			}
		})
	}
}

func TestSQS_sharesDeletes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var calls atomic.Int32
	r.sqs.Observe = func(op string, _ int) {
		if op == "DeleteMessageBatch" {
			calls.Add(1)
		}
	}
	for i := range 30 {
		r.put(strconv.Itoa(i), logFile("1"))
	}
	r.start(t)
	deliveries := make([]pipeline.Delivery, 30)
	for i := range deliveries {
		deliveries[i] = r.receive(t)
	}
	var all sync.WaitGroup
	for _, d := range deliveries {
		all.Go(func() { settle(t, d, nil) })
	}
	all.Wait()
	if got := calls.Load(); len(r.sqs.Deleted("q")) != 30 || got > 6 {
		t.Errorf("%d messages deleted in %d calls, want 30 in about 3", len(r.sqs.Deleted("q")), got)
	}
}

func TestSQS_severalQueues(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.queue("other", standin.QueueOptions{})
	r.s3.Put("audit", key("a"), logFile("1"))
	for range 3 {
		r.sqs.Send("q", standin.Notice("audit", key("a"), 100))
		r.sqs.Send("other", standin.Notice("audit", key("a"), 100))
	}
	r.start(t)
	for range 6 {
		settle(t, r.receive(t), nil)
	}
	if a, b := len(r.sqs.Deleted("q")), len(r.sqs.Deleted("other")); a != 3 || b != 3 {
		t.Errorf("deleted %d and %d, want 3 and 3", a, b)
	}
}

func TestSQS_grows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 200 {
		r.sqs.Send("q", standin.Notice("audit", key("a"), 1))
	}
	r.start(t)
	d := r.receive(t)
	awaits(t, "eight loops to hold ten messages each", func() bool {
		_, inFlight := r.sqs.Depth("q")
		return inFlight == 80
	})
	settle(t, d, nil)
}

func TestSQS_shutdown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 5 {
		r.put(strconv.Itoa(i), logFile("1"))
	}
	r.start(t)
	d := r.receive(t)
	awaits(t, "all to be in flight", func() bool { _, n := r.sqs.Depth("q"); return n == 5 })
	start := time.Now()
	r.stop()
	awaits(t, "what was not handed out to be visible again", func() bool { n, _ := r.sqs.Depth("q"); return n == 4 })
	if _, err := r.source.Receive(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("Receive after the end: %v, want io.EOF", err)
	}
	if got := drain(t, d); len(got.events) != 1 {
		t.Errorf("the delivery in hand cannot be finished: %+v", got)
	}
	settle(t, d, nil)
	if got := len(r.sqs.Deleted("q")); got != 1 {
		t.Errorf("%d messages deleted, want the one in hand", got)
	}
	if err := r.source.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second { // a poll that is under way would last twenty
		t.Errorf("took %v, want no wait for the poll", took)
	}
}

func TestSQS_receiveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.source.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	r.put("a", logFile("1"))
	if _, err := r.source.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error: nothing is handed out after its end", err)
	}
}
