package source_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/test/standin"
)

// The records of a small object can be read again, by several at once, while others are read; one that cannot be read is
// left out.
func TestDelivery_again(t *testing.T) {
	t.Parallel()
	const many = 300
	ids := make([]string, many)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	broken := zipped(`{"Records":[{"eventID":"a"},{"eventID":!},{"eventID":"b"}]}`, gzip.DefaultCompression)
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"good", logFile(ids...), ids},
		{"with a broken record", broken, []string{"a", "b"}},
		{"empty", logFile(), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.put("a", c.file)
			r.start(t)
			d := r.receive(t)
			if got := drain(t, d); got.err != nil {
				t.Fatal(got.err)
			}
			again := d.(pipeline.Rereadable).Again()
			var readers sync.WaitGroup
			for range 4 {
				readers.Go(func() {
					var got []string
					for record := range again {
						got = append(got, string(record.Field(cloudtrail.EventID).Bytes()))
					}
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Errorf("read again, -want +got:\n%s", diff)
					}
				})
			}
			readers.Wait()
			if gets := r.s3.Gets("audit", key("a")); gets != 1 {
				t.Errorf("asked for %d times, want once", gets)
			}
			settle(t, d, nil)
		})
	}
}

// What is large, or stands among others in one message, is not kept.
func TestDelivery_notAgain(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdef", 20_000)
	for _, c := range []struct {
		name, body string
	}{
		{"large", standin.Notice("audit", key("large"), 300_000)},
		{"several", `{"s3Bucket":"audit","s3ObjectKey":["` + key("a") + `","` + key("b") + `"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.s3.Put("audit", key("a"), logFile("1"))
			r.s3.Put("audit", key("b"), logFile("2"))
			r.s3.Put("audit", key("large"), zipped(`{"Records":[{"eventID":"1","x":"`+text+`"}]}`, gzip.NoCompression))
			r.sqs.Send("q", c.body)
			r.start(t)
			d := r.receive(t)
			if got := drain(t, d); got.err != nil || len(got.events) == 0 {
				t.Fatalf("got %v, %v", got.events, got.err)
			}
			if d.(pipeline.Rereadable).Again() != nil {
				t.Error("its records are kept")
			}
			settle(t, d, nil)
		})
	}
}

// A message whose object was fetched may be handed back without a look at it.
func TestDelivery_fetchedOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.put("a", logFile("1"))
	r.start(t)
	d := r.receive(t)
	d.(pipeline.Fetched).Fetch(t.Context())
	if size := d.(pipeline.Sized).Size(); size < int64(len(logFile("1"))) || size > 8<<10 {
		t.Errorf("holds %d bytes, want what the object takes", size)
	}
	r.stop()
	settle(t, d, pipeline.ErrNotStarted)
	if r.sqs.Receives("q", id) == 0 || len(r.sqs.Deleted("q")) > 0 {
		t.Error("want the message back in the queue")
	}
}

// An object that was small and damaged, and is large at the next try, is not two objects in one: its message comes again.
func TestDelivery_changes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	damaged := logFile("1", "2", "3")
	damaged[len(damaged)-5] ^= 1 // in the checksum
	id := r.put("a", damaged)
	body, _ := large()
	gets := 0
	r.s3.Fault = func(method, _, _ string) *standin.S3Fault {
		if gets++; method == http.MethodGet && gets == 2 {
			r.s3.Put("audit", key("a"), body)
		}
		return nil
	}
	r.start(t)
	d := r.receive(t)
	r.stop()
	got := drain(t, d)
	if got.err == nil || !strings.Contains(got.err.Error(), "the object changed while it was read") {
		t.Errorf("got %v", got.err)
	}
	if again := d.(pipeline.Rereadable).Again(); again == nil {
		t.Error("what was read cannot be read again")
	} else {
		var ids []string
		for record := range again {
			ids = append(ids, string(record.Field(cloudtrail.EventID).Bytes()))
		}
		if diff := cmp.Diff(got.events, ids); diff != "" {
			t.Errorf("read again, -want +got:\n%s", diff)
		}
	}
	settle(t, d, got.err)
	if len(r.sqs.Deleted("q")) > 0 || r.sqs.Receives("q", id) != 1 {
		t.Error("want the message back in the queue")
	}
}
