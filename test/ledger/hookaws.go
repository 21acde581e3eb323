package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// elsewhere is the region of badBucket in rows with kindElsewhere.
const elsewhere = "us-east-2"

// maxDelay is the most that a message is put off in rows that want an empty queue at their end. The daemon asks for up to
// hours, so that the five receives of a redrive policy span a night.
const maxDelay = 45 * time.Second

// hookQueues puts the row's faults into SQS.
func (w *world) hookQueues() {
	o := standin.QueueOptions{Visibility: 30 * time.Second}
	if !w.row.open {
		o.MaxInvisible = maxDelay
	}
	w.queues.AddQueue(queueName, o)
	w.queues.Removed = w.book.removed
	w.queues.Received = w.book.received
	var once sync.Once
	w.queues.Observe = func(op string, _ int) {
		if op == "ReceiveMessage" {
			once.Do(func() { close(w.asked) })
		}
	}
	w.queues.Twice = func(id string) bool {
		if w.strike(kindTwice, nil) == nil {
			return false
		}
		w.book.order(id)
		return true
	}
	w.queues.Fault = func(op string) *standin.SQSFault {
		if w.strike(kindSQS, nil) != nil {
			return &standin.SQSFault{Status: http.StatusInternalServerError, Code: "InternalFailure"}
		}
		if !strings.HasSuffix(op, "Batch") {
			return nil
		}
		if w.strike(kindEntry, nil) != nil {
			return &standin.SQSFault{Entry: "InternalError", Every: 2}
		}
		return nil
	}
}

// hookBuckets puts the row's faults into S3.
func (w *world) hookBuckets() {
	if w.has(kindElsewhere) {
		w.buckets.AddBucket(badBucket, elsewhere)
	}
	w.buckets.Fault = func(method, bucket, key string) *standin.S3Fault {
		if bucket == deadLetters || method != http.MethodGet || key == "" {
			return nil
		}
		here := func(f *fault) bool { return f.bucket == "" || f.bucket == bucket }
		var out standin.S3Fault
		if f := w.strike(kindSlowS3, here); f != nil {
			out.Delay = f.delay
		}
		switch {
		case w.strike(kindForbidden, here) != nil:
			out.Status, out.Code, out.Message = http.StatusForbidden, "AccessDenied", "Access Denied"
		case w.strike(kindS3, here) != nil:
			out.Status, out.Code, out.Message = http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."
		case w.strike(kindTruncated, here) != nil:
			out.Cut = 100
		}
		return &out
	}
}

// aws is SQS, S3 and IAM at one address, for those with an access key that has not expired.
func (w *world) aws() http.Handler {
	both := standin.AWS(w.queues, w.buckets)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.keys.good(r) && w.strike(kindExpired, nil) != nil {
			expired(rw, r)
			return
		}
		if skewed(r) && w.strike(kindClock, nil) != nil {
			tooSkewed(rw, r)
			return
		}
		if w.people.Serves(r) {
			w.people.ServeHTTP(rw, r)
			return
		}
		if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/"+deadLetters+"/") {
			w.keepLetters(rw, r)
			return
		}
		both.ServeHTTP(&watched{ResponseWriter: rw, said: func(status int) {
			switch status {
			case http.StatusMovedPermanently:
				w.strike(kindElsewhere, nil)
			case http.StatusNotFound:
				w.strike(kindMissing, nil)
			}
		}}, r)
	})
}

// keepLetters takes an object with dead letters.
func (w *world) keepLetters(rw http.ResponseWriter, r *http.Request) {
	if w.strike(kindFull, nil) != nil {
		http.Error(rw, "<Error><Code>SlowDown</Code></Error>", http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.letters(body)
}

// letters enters into the book the dead letters of a file, one a line, compressed or not.
func (w *world) letters(file []byte) {
	if z, err := gzip.NewReader(bytes.NewReader(file)); err == nil {
		if file, err = io.ReadAll(z); err != nil {
			return
		}
	}
	for line := range bytes.Lines(file) {
		w.book.letter(line)
	}
}

// keys gives out access keys that live for a while, as the agent of a container does.
type keys struct {
	life time.Duration // 0: any key is good

	mu     sync.Mutex
	issued map[string]time.Time // until when a key is good
}

// early is how long before its end the AWS SDK renews a key.
const early = 5 * time.Minute

// ServeHTTP gives out a key. It says that the key lives for longer than it does: the SDK renews it a second too late.
// Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
func (k *keys) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := fmt.Sprintf("AKIALEDGER%06d", len(k.issued))
	now := time.Now()
	k.issued[id] = now.Add(k.life)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"AccessKeyId": id, "SecretAccessKey": "secret", "Token": "token",
		"Expiration": now.Add(early + k.life + time.Second).UTC().Format(time.RFC3339),
	})
}

// good reports whether a request is signed with a key that is good now.
func (k *keys) good(r *http.Request) bool {
	if k.life == 0 {
		return true
	}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(credential, "/")
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Now().Before(k.issued[id])
}

// expired is the answer to a key that is good no more.
func expired(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, "ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired")
}

// refuse answers with an error in the form of the service that was asked: SQS, or S3.
func refuse(w http.ResponseWriter, r *http.Request, sqs, s3, message string) {
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"__type":"com.amazon.coral.service#%s","message":"%s"}`, sqs, message)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, s3, message)
}
