package standin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/test/standin"
)

// received is a message as ReceiveMessage gives it.
type received struct {
	MessageId, ReceiptHandle, Body string //nolint:revive // SQS's names
	Attributes                     map[string]string
}

// pass lets time pass, in a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

// call makes one request without a network, so that it may wait in a synctest bubble.
func call(t *testing.T, s *standin.SQS, op, body string, answer any) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+op)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if answer != nil {
		if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil {
			t.Fatalf("%s answers %s: %v", op, w.Body, err)
		}
	}
	return w.Code
}

func receive(t *testing.T, s *standin.SQS, queue string, wait time.Duration) []received {
	t.Helper()
	var out struct{ Messages []received }
	call(t, s, "ReceiveMessage", fmt.Sprintf(`{"QueueUrl":"http://h/1/%s","MaxNumberOfMessages":10,"WaitTimeSeconds":%d}`, queue, int(wait/time.Second)), &out)
	return out.Messages
}

// entry is the code of a batch of one entry, "" when it succeeded.
func entry(t *testing.T, s *standin.SQS, op, handle string, visibility int) string {
	t.Helper()
	var out struct {
		Successful []struct{ Id string } //nolint:revive // SQS's name
		Failed     []struct{ Code string }
	}
	call(t, s, op, fmt.Sprintf(`{"QueueUrl":"http://h/1/q","Entries":[{"Id":"0","ReceiptHandle":%q,"VisibilityTimeout":%d}]}`, handle, visibility), &out)
	if len(out.Failed) > 0 {
		return out.Failed[0].Code
	}
	if len(out.Successful) != 1 || out.Successful[0].Id != "0" {
		t.Errorf("%s answers neither success nor failure: %+v", op, out)
	}
	return ""
}

func TestSQS_longPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standin.NewSQS()
		s.AddQueue("q", standin.QueueOptions{})
		start := time.Now()
		if got := receive(t, s, "q", 20*time.Second); len(got) != 0 || time.Since(start) != 20*time.Second {
			t.Errorf("an empty queue gives %v after %v, want nothing after 20 s", got, time.Since(start))
		}
		start = time.Now()
		time.AfterFunc(7*time.Second, func() { s.Send("q", `a "body"`) })
		got := receive(t, s, "q", 20*time.Second)
		if len(got) != 1 || got[0].Body != `a "body"` || time.Since(start) != 7*time.Second {
			t.Errorf("got %v after %v, want the message when it is sent", got, time.Since(start))
		}
		start = time.Now()
		if got = receive(t, s, "q", 20*time.Second); len(got) != 0 || time.Since(start) != 20*time.Second {
			t.Errorf("got %v after %v, want nothing: the message is invisible", got, time.Since(start))
		}
		if got = receive(t, s, "q", 20*time.Second); len(got) != 1 || time.Since(start) != 30*time.Second {
			t.Errorf("got %v after %v, want the message when its visibility timeout is over", got, time.Since(start))
		}
		if got[0].Attributes["ApproximateReceiveCount"] != "2" {
			t.Errorf("attributes are %v, want a receive count of 2", got[0].Attributes)
		}
	})
}

func TestSQS_visibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standin.NewSQS()
		s.AddQueue("q", standin.QueueOptions{})
		id := s.Send("q", "body")
		first := receive(t, s, "q", 0)[0].ReceiptHandle
		if got := entry(t, s, "ChangeMessageVisibilityBatch", first, 100); got != "" || s.VisibleIn("q", id) != 100*time.Second {
			t.Errorf("got %q, visible in %v", got, s.VisibleIn("q", id))
		}
		pass(99 * time.Second)
		if got := receive(t, s, "q", 0); len(got) != 0 {
			t.Error("visible too early")
		}
		if got := entry(t, s, "ChangeMessageVisibilityBatch", first, 0); got != "" {
			t.Errorf("giving back: %s", got)
		}
		second := receive(t, s, "q", 0)[0].ReceiptHandle
		if got, want := entry(t, s, "ChangeMessageVisibilityBatch", first, 10), "AWS.SimpleQueueService.MessageNotInflight"; got != want {
			t.Errorf("with a stale handle: %q, want %q", got, want)
		}
		if got := entry(t, s, "DeleteMessageBatch", first, 0); got != "" || len(s.Deleted("q")) != 0 {
			t.Errorf("deleting with a stale handle: %q, %v, want success without effect", got, s.Deleted("q"))
		}
		if got := entry(t, s, "DeleteMessageBatch", "nonsense", 0); got != "ReceiptHandleIsInvalid" {
			t.Errorf("deleting with nonsense: %q", got)
		}
		if got := entry(t, s, "DeleteMessageBatch", second, 0); got != "" || !slices.Equal(s.Deleted("q"), []string{id}) {
			t.Errorf("deleting: %q, %v", got, s.Deleted("q"))
		}
		if visible, inFlight := s.Depth("q"); visible+inFlight != 0 {
			t.Errorf("%d and %d messages left", visible, inFlight)
		}
	})
}

func TestSQS_redrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standin.NewSQS()
		s.AddQueue("q", standin.QueueOptions{MaxReceive: 2, DeadLetter: "dead"})
		s.AddQueue("dead", standin.QueueOptions{})
		id := s.Send("q", "body")
		for range 2 {
			if got := receive(t, s, "q", 0); len(got) != 1 {
				t.Fatal("not received")
			}
			pass(30 * time.Second)
		}
		if got := receive(t, s, "q", 0); len(got) != 0 {
			t.Error("received a third time")
		}
		if got := receive(t, s, "dead", 0); len(got) != 1 || got[0].MessageId != id {
			t.Errorf("the dead-letter queue has %v", got)
		}
	})
}

func TestSQS_hooks(t *testing.T) {
	s := standin.NewSQS()
	s.AddQueue("q", standin.QueueOptions{})
	id := s.Send("q", "body")
	twice := true
	s.Twice = func(string) bool { defer func() { twice = false }(); return twice }
	if a, b := receive(t, s, "q", 0), receive(t, s, "q", 0); len(a)+len(b) != 2 || s.Receives("q", id) != 2 {
		t.Errorf("got %v and %v, want the message twice", a, b)
	}
	s.Fault = func(op string) *standin.SQSFault { return &standin.SQSFault{Status: 503, Code: "Down"} }
	var out map[string]string
	if got := call(t, s, "ReceiveMessage", "{}", &out); got != 503 || out["__type"] != "Down" {
		t.Errorf("got %d %v, want the fault", got, out)
	}
	s.Fault = nil
	if got := call(t, s, "ReceiveMessage", `{"QueueUrl":"http://h/1/none"}`, &out); got != 400 || out["__type"] != "com.amazonaws.sqs#QueueDoesNotExist" {
		t.Errorf("got %d %v, want that there is no such queue", got, out)
	}
}

func TestS3(t *testing.T) {
	s := standin.NewS3()
	s.AddBucket("far", "us-east-2")
	s.Put("far", "a b", []byte("body"))
	s.Generate = func(_, key string) ([]byte, bool) { return []byte("made"), strings.HasPrefix(key, "synthetic/") }
	for _, c := range []struct{ name, method, path, region, want string }{
		{"object", "GET", "/far/a%20b", "us-east-2", "200 body"},
		{"head", "HEAD", "/far/a%20b", "us-east-2", "200 "},
		{"bucket", "HEAD", "/far", "us-east-2", "200 "},
		{"generated", "GET", "/any/synthetic/1", "eu-west-1", "200 made"},
		{"missing", "GET", "/far/b", "us-east-2", "404 NoSuchKey"},
		{"elsewhere", "GET", "/far/a%20b", "eu-west-1", "301 PermanentRedirect"},
		{"stored", "PUT", "/near/key", "eu-west-1", "200 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader("new"))
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260203/"+c.region+"/s3/aws4_request, Signature=x")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			got := fmt.Sprintf("%d %s", w.Code, w.Body)
			if _, code, ok := strings.Cut(got, "<Code>"); ok {
				code, _, _ = strings.Cut(code, "</Code>")
				got = fmt.Sprintf("%d %s", w.Code, code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c.path == "/far/a%20b" && w.Header().Get("X-Amz-Bucket-Region") != "us-east-2" {
				t.Errorf("the answer does not name the bucket's region: %v", w.Header())
			}
		})
	}
}

// BenchmarkSQS carries messages through the stand-in, ten a call: send, receive, delete.
func BenchmarkSQS(b *testing.B) {
	s := standin.NewSQS()
	s.AddQueue("q", standin.QueueOptions{})
	body := standin.Notice("audit", "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/x.json.gz", 2048)
	post := func(op, in string) []byte {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(in))
		r.Header.Set("X-Amz-Target", "AmazonSQS."+op)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Body.Bytes()
	}
	for range b.N {
		for range 10 {
			s.Send("q", body)
		}
		var out struct{ Messages []received }
		if err := json.Unmarshal(post("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10}`), &out); err != nil {
			b.Fatal(err)
		}
		entries := make([]string, len(out.Messages))
		for i, m := range out.Messages {
			entries[i] = fmt.Sprintf(`{"Id":"%d","ReceiptHandle":%q}`, i, m.ReceiptHandle)
		}
		post("DeleteMessageBatch", `{"QueueUrl":"q","Entries":[`+strings.Join(entries, ",")+`]}`)
	}
}
