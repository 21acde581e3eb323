package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// S3Fault is what a fault hook wants to happen instead of, or before, an answer.
type S3Fault struct {
	Delay   time.Duration // before anything else
	Status  int           // answer with this status, Code and Message; 0: answer normally
	Code    string
	Message string
	Cut     int // break the connection after so many bytes of the body; 0: do not
}

// S3 is a stand-in for Amazon S3: an http.Handler for path-style GET, HEAD, PUT and DELETE of objects, and for HEAD and
// lists of buckets. A bucket has a region, and a request signed for another one is sent there with a 301, as S3 does. Set
// its hooks before the first request. It is safe for concurrent use. Source: Amazon S3 API Reference.
type S3 struct {
	// Fault is called for each request with its method; nil or a nil answer: no fault.
	Fault func(method, bucket, key string) *S3Fault
	// Generate makes the objects that were not put, such as a million of them; false: there is none.
	Generate func(bucket, key string) ([]byte, bool)

	mu      sync.RWMutex
	buckets map[string]*simBucket
	gets    map[string]int // by bucket/key
}

type simBucket struct {
	region  string
	objects map[string][]byte
}

// NewS3 returns a service without buckets.
func NewS3() *S3 { return &S3{buckets: map[string]*simBucket{}, gets: map[string]int{}} }

// AddBucket makes a bucket in a region. Requests for a bucket without a region may be signed for any.
func (s *S3) AddBucket(name, region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[name] = &simBucket{region: region, objects: map[string][]byte{}}
}

// Put stores an object, making its bucket if there is none. The body is the service's from then on.
func (s *S3) Put(bucket, key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil {
		b = &simBucket{objects: map[string][]byte{}}
		s.buckets[bucket] = b
	}
	b.objects[key] = body
}

// Objects are the bodies of the objects of a bucket whose keys begin with prefix, by key. Nobody may change them.
func (s *S3) Objects(bucket, prefix string) map[string][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := map[string][]byte{}
	if b := s.buckets[bucket]; b != nil {
		for key, body := range b.objects {
			if strings.HasPrefix(key, prefix) {
				found[key] = body
			}
		}
	}
	return found
}

// Gets is how often an object was asked for.
func (s *S3) Gets(bucket, key string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.gets[bucket+"/"+key]
}

// ServeHTTP answers one request.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var fault S3Fault
	if s.Fault != nil {
		if f := s.Fault(r.Method, name, key); f != nil {
			fault = *f
		}
	}
	wait(r, fault.Delay)
	if r.Method == http.MethodGet {
		s.mu.Lock()
		s.gets[name+"/"+key]++
		s.mu.Unlock()
	}
	if fault.Status != 0 {
		s3Error(w, r, fault.Status, fault.Code, fault.Message)
		return
	}
	s.mu.RLock()
	b := s.buckets[name]
	s.mu.RUnlock()
	switch {
	case b == nil && s.Generate == nil:
		s3Error(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	case b != nil && b.region != "":
		w.Header().Set("X-Amz-Bucket-Region", b.region)
		if signed := signedFor(r); signed != "" && signed != b.region {
			s3Error(w, r, http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.")
			return
		}
	}
	s.serve(w, r, name, key, fault.Cut)
}

func (s *S3) serve(w http.ResponseWriter, r *http.Request, bucket, key string, cut int) {
	switch {
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s3Error(w, r, http.StatusBadRequest, "IncompleteBody", err.Error())
			return
		}
		if key == "" {
			s.AddBucket(bucket, "")
		} else {
			s.Put(bucket, key, body)
		}
	case r.Method == http.MethodDelete && key != "":
		s.remove(w, bucket, key)
	case r.Method == http.MethodGet && key == "" && r.URL.Query().Get("list-type") == "2":
		s.list(w, r, bucket)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s3Error(w, r, http.StatusNotImplemented, "NotImplemented", "the stand-in does not know "+r.Method)
	case key == "":
		w.WriteHeader(http.StatusOK)
	default:
		s.send(w, r, bucket, key, cut)
	}
}

func (s *S3) send(w http.ResponseWriter, r *http.Request, bucket, key string, cut int) {
	s.mu.RLock()
	var body []byte
	ok := false
	if b := s.buckets[bucket]; b != nil {
		body, ok = b.objects[key]
	}
	s.mu.RUnlock()
	if !ok && s.Generate != nil {
		body, ok = s.Generate(bucket, key)
	}
	if !ok {
		s3Error(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip") // as CloudTrail stores them, whatever is inside
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	if cut > 0 && cut < len(body) {
		_, _ = w.Write(body[:cut])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // breaks the connection without a log line
	}
	_, _ = w.Write(body)
}

// signedFor is the region in the request's signature, "" without one.
func signedFor(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(credential, "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func s3Error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>R</RequestId></Error>", code, message)
	}
}

// Notice is the body of the notification that S3 sends when an object was created, its key form-encoded.
func Notice(bucket, key string, size int64) string {
	quotedBucket, quotedKey := quote(bucket), quote(url.QueryEscape(key))
	return `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-02-03T04:05:06.789Z",` +
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:AROAEXAMPLE:session"},"requestParameters":{"sourceIPAddress":"192.0.2.7"},` +
		`"responseElements":{"x-amz-request-id":"REQ1","x-amz-id-2":"ID2"},"s3":{"s3SchemaVersion":"1.0","configurationId":"to-queue",` +
		`"bucket":{"name":` + quotedBucket + `,"ownerIdentity":{"principalId":"A1OWNER"},"arn":` + quote("arn:aws:s3:::"+bucket) + `},` +
		`"object":{"key":` + quotedKey + `,"size":` + strconv.FormatInt(size, 10) + `,"eTag":"9f0c1d2e3a4b5c6d7e8f901234567890","sequencer":"0065BDEF0123456789"}}}]}`
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always can be
	}
	return string(quoted)
}
