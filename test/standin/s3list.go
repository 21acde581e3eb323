package standin

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// listing is S3's answer to ListObjectsV2.
type listing struct {
	XMLName     xml.Name `xml:"ListBucketResult"`
	Name        string
	Prefix      string
	KeyCount    int
	IsTruncated bool
	Next        string `xml:"NextContinuationToken,omitempty"`
	Contents    []listed
}

type listed struct {
	Key  string
	Size int
}

// list answers ListObjectsV2: keys in order, a thousand at a time unless max-keys says less. The token is the last key.
func (s *S3) list(w http.ResponseWriter, r *http.Request, bucket string) {
	q := r.URL.Query()
	most := 1000
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil && n < most {
		most = n
	}
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	found := listing{Name: bucket, Prefix: q.Get("prefix")}
	for key, body := range s.Objects(bucket, found.Prefix) {
		if key > after {
			found.Contents = append(found.Contents, listed{key, len(body)})
		}
	}
	slices.SortFunc(found.Contents, func(a, b listed) int { return strings.Compare(a.Key, b.Key) })
	if len(found.Contents) > most {
		found.Contents, found.IsTruncated = found.Contents[:most], true
		found.Next = found.Contents[most-1].Key
	}
	found.KeyCount = len(found.Contents)
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(found)
}

// remove answers DeleteObject, which succeeds whether there is an object or not.
func (s *S3) remove(w http.ResponseWriter, bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[bucket]; b != nil {
		delete(b.objects, key)
	}
	w.WriteHeader(http.StatusNoContent)
}
