package source_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/test/standin"
)

// TestSQS_sickBucket has one bucket that S3 forbids among messages of another: once that is known its messages go back for
// a long time without a request to S3, and the other bucket's come through.
func TestSQS_sickBucket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var forbidden atomic.Bool
	var asked atomic.Int64
	forbidden.Store(true)
	r.s3.Fault = func(method, bucket, _ string) *standin.S3Fault {
		if method != http.MethodGet || bucket != "sick" {
			return nil
		}
		asked.Add(1)
		if !forbidden.Load() {
			return nil
		}
		return &standin.S3Fault{Status: 403, Code: "AccessDenied", Message: "not authorized to perform: kms:Decrypt"}
	}
	r.inFlight = 8
	r.start(t)
	put := func(bucket, name string) string {
		r.s3.Put(bucket, key(name), logFile(name))
		return r.sqs.Send("q", standin.Notice(bucket, key(name), 100))
	}
	pause := time.NewTicker(800 * time.Millisecond)
	defer pause.Stop()
	var sick []source.SickBucket
	for i := 0; i < 10 && (len(sick) == 0 || sick[0].State != "open"); i++ { // it takes two seconds
		put("sick", strconv.Itoa(i))
		d := r.receive(t)
		settle(t, d, drain(t, d).err)
		sick = r.source.SickBuckets()
		<-pause.C
	}
	if len(sick) != 1 || sick[0].State != "open" || !strings.Contains(sick[0].Cure, "kms:Decrypt") {
		t.Fatalf("got %+v, want one open bucket and the cure", sick)
	}
	before := asked.Load()
	var ids []string
	for range 20 {
		ids = append(ids, put("sick", "later"))
	}
	put("audit", "good")
	d := r.receive(t)
	if got := drain(t, d); len(got.events) != 1 || got.events[0] != "good" {
		t.Errorf("got %v, want the other bucket's record", got)
	}
	settle(t, d, nil)
	for _, id := range ids {
		awaits(t, "messages put off", func() bool { return r.sqs.VisibleIn("q", id) > 10*time.Minute })
	}
	if asked.Load() != before {
		t.Error("S3 was asked for an object of an open bucket")
	}
	if n := r.logs.FilterMessage("bucket cannot be read, its messages are put off").Len(); n != 1 {
		t.Errorf("%d log lines, want one", n)
	}
	if got := r.count(t, "trailship_bucket_open", "sick"); got != 1 {
		t.Errorf("trailship_bucket_open is %v, want 1", got)
	}
}
